#include "services/upkeep/noted_texts.h"

#include <gtest/gtest.h>

#include "services/upkeep/test_certificates.h"

namespace tapal::upkeep {
namespace {

struct NotedTextsTest : testing::Test {
  VirtualLoop loop;
  InlineWorkers workers;
  TableOfTexts dns;
  MemoryNote note;
  NotedTexts texts{dns, note, workers};
};

TEST_F(NotedTextsTest, are_noted_while_they_are_shown) {
  ASSERT_TRUE(loop.wait(texts.add(loop, "_acme-challenge.a.example", "one"))->has_value());
  ASSERT_TRUE(loop.wait(texts.add(loop, "_acme-challenge.a.example", "two"))->has_value());
  EXPECT_EQ(note.text, "_acme-challenge.a.example one\n_acme-challenge.a.example two\n");
  ASSERT_TRUE(loop.wait(texts.remove(loop, "_acme-challenge.a.example", "one"))->has_value());
  EXPECT_EQ(note.text, "_acme-challenge.a.example two\n");
  EXPECT_EQ(dns.texts.size(), 1U);
}

TEST_F(NotedTextsTest, that_a_killed_run_left_are_taken_away) {
  ASSERT_TRUE(loop.wait(texts.add(loop, "_acme-challenge.a.example", "one"))->has_value());
  dns.texts.emplace("_acme-challenge.a.example", "theirs");
  NotedTexts later(dns, note, workers);
  EXPECT_EQ(loop.wait(later.remove_left(loop))->value(), 1U);
  EXPECT_EQ(note.text, "");
  EXPECT_EQ(dns.texts.size(), 1U);
  EXPECT_EQ(loop.wait(later.remove_left(loop))->value(), 0U);
}

TEST_F(NotedTextsTest, stay_noted_while_they_cannot_be_taken_away) {
  note.text = "nonsense\n_acme-challenge.a.example one\n";
  dns.is_stuck = true;
  EXPECT_EQ(loop.wait(texts.remove_left(loop))->value(), 0U);
  EXPECT_TRUE(note.text.contains("_acme-challenge.a.example one\n"));
}

}  // namespace
}  // namespace tapal::upkeep

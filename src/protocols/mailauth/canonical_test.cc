#include "protocols/mailauth/canonical.h"

#include <array>
#include <random>

#include <gtest/gtest.h>

namespace tapal::mailauth {
namespace {

constexpr auto simple = Canonicalization::simple;
constexpr auto relaxed = Canonicalization::relaxed;

struct Collected final : BodySink {
  void write(std::string_view bytes) override {
    text += bytes;
    largest = std::max(largest, bytes.size());
  }
  std::string text;
  std::size_t largest = 0;
};

std::string canonical_body(std::string_view body, Canonicalization form) {
  Collected out;
  BodyCanonicalizer canonicalizer(form);
  canonicalizer.update(body, out);
  canonicalizer.finish(out);
  return out.text;
}

std::string canonical_field(std::string_view raw, Canonicalization form) {
  std::string out;
  append_canonical_field(out, raw, form);
  return out;
}

struct Case {
  std::string name;
  std::string text;
  std::string simple_form;
  std::string relaxed_form;
};

TEST(CanonicalField, follows_rfc_6376_sections_3_4_1_and_3_4_2) {
  const std::array cases = {
      Case{"example A of section 3.4.5", "A: X", "A: X", "a:X"},
      Case{"example B", "B : Y\t\r\n\tZ  ", "B : Y\t\r\n\tZ  ", "b:Y Z"},
      Case{"runs of white space", "Subject: a \t b", "Subject: a \t b", "subject:a b"},
      Case{"no space behind the colon", "To:b", "To:b", "to:b"},
      Case{"an empty field", "X:", "X:", "x:"},
      Case{"only white space", "X: \r\n \t ", "X: \r\n \t ", "x:"},
      Case{"a fold at once", "X:\r\n a", "X:\r\n a", "x:a"},
      Case{"another colon", "X: a : b", "X: a : b", "x:a : b"},
      Case{"eight-bit text", "X:  \xc3\xa4\xff", "X:  \xc3\xa4\xff", "x:\xc3\xa4\xff"},
      Case{"a bare CR stays", "X: a\r b", "X: a\r b", "x:a\r b"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(canonical_field(c.text, simple), c.simple_form) << c.name;
    EXPECT_EQ(canonical_field(c.text, relaxed), c.relaxed_form) << c.name;
  }
}

TEST(CanonicalBody, follows_rfc_6376_sections_3_4_3_and_3_4_4) {
  const std::array cases = {
      Case{"example of section 3.4.5",
           " C \r\nD \t E\r\n\r\n\r\n",
           " C \r\nD \t E\r\n",
           " C\r\nD E\r\n"},
      Case{"no body", "", "\r\n", ""},
      Case{"one empty line", "\r\n", "\r\n", ""},
      Case{"many empty lines", "\r\n\r\n\r\n", "\r\n", ""},
      Case{"only white space", " \t\r\n  \r\n", " \t\r\n  \r\n", ""},
      Case{"white space without an end", "  ", "  \r\n", ""},
      Case{"no final CRLF", "a", "a\r\n", "a\r\n"},
      Case{"one final CRLF", "a\r\n", "a\r\n", "a\r\n"},
      Case{"two final CRLFs", "a\r\n\r\n", "a\r\n", "a\r\n"},
      Case{"empty lines inside", "a\r\n\r\n\r\nb", "a\r\n\r\n\r\nb\r\n", "a\r\n\r\n\r\nb\r\n"},
      Case{"white lines inside", "a\r\n \r\nb\r\n", "a\r\n \r\nb\r\n", "a\r\n\r\nb\r\n"},
      Case{"white space at the start", "  a", "  a\r\n", " a\r\n"},
      Case{"trailing white space", "a \t \r\n", "a \t \r\n", "a\r\n"},
      Case{"trailing white space without an end", "a \t ", "a \t \r\n", "a\r\n"},
      Case{"CR at the end", "a\r", "a\r\r\n", "a\r\r\n"},
      Case{"bare CR and LF are text", "a\rb\nc \r d", "a\rb\nc \r d\r\n", "a\rb\nc \r d\r\n"},
      Case{"CR CR LF", "a\r\r\n", "a\r\r\n", "a\r\r\n"},
      Case{"a bare LF at the end", "a\n", "a\n\r\n", "a\n\r\n"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(canonical_body(c.text, simple), c.simple_form) << c.name;
    EXPECT_EQ(canonical_body(c.text, relaxed), c.relaxed_form) << c.name;
  }
}

std::string random_body(std::mt19937& random) {
  static constexpr std::array<std::string_view, 9> pieces = {
      "\r\n", "\r\n", " ", "\t", "\r", "\n", "a", "word", "\xc3\xbc"};
  std::string body;
  for (std::size_t count = random() % 40; count > 0; --count) {
    body += pieces.at(random() % pieces.size());
  }
  return body;
}

TEST(CanonicalBody, does_not_care_where_the_body_is_cut) {
  std::mt19937 random(20261);
  for (int round = 0; round < 500; ++round) {
    const std::string body = random_body(random);
    for (const Canonicalization form : {simple, relaxed}) {
      const std::string whole = canonical_body(body, form);
      for (std::size_t cut = 0; cut <= body.size(); ++cut) {
        Collected out;
        BodyCanonicalizer canonicalizer(form);
        canonicalizer.update(std::string_view(body).substr(0, cut), out);
        canonicalizer.update(std::string_view(body).substr(cut), out);
        canonicalizer.finish(out);
        ASSERT_EQ(out.text, whole) << "round " << round << ", cut at " << cut;
      }
      Collected out;
      BodyCanonicalizer canonicalizer(form);
      for (const char byte : body) canonicalizer.update({&byte, 1}, out);
      canonicalizer.finish(out);
      ASSERT_EQ(out.text, whole) << "round " << round << ", byte by byte";
    }
  }
}

TEST(CanonicalBody, of_a_canonical_body_is_the_same) {
  std::mt19937 random(20262);
  for (int round = 0; round < 2000; ++round) {
    const std::string body = random_body(random);
    for (const Canonicalization form : {simple, relaxed}) {
      const std::string once = canonical_body(body, form);
      ASSERT_EQ(canonical_body(once, form), once) << "round " << round;
    }
    // What the simple form forgives, the relaxed one forgives too.
    ASSERT_EQ(canonical_body(canonical_body(body, simple), relaxed), canonical_body(body, relaxed))
        << "round " << round;
  }
}

TEST(CanonicalBody, needs_no_memory_for_a_flood_of_empty_lines) {
  Collected out;
  BodyCanonicalizer canonicalizer(relaxed);
  std::string lines;
  for (int i = 0; i < 10'000; ++i) lines += " \r\n";
  canonicalizer.update(lines, out);
  EXPECT_EQ(out.text, "");
  canonicalizer.update("end", out);
  canonicalizer.finish(out);
  EXPECT_EQ(out.text.size(), 20'000 + 5U);
  EXPECT_LE(out.largest, 8192U);
}

TEST(CanonicalBody, begins_anew_after_the_end) {
  Collected out;
  BodyCanonicalizer canonicalizer(simple);
  canonicalizer.update("a\r", out);
  canonicalizer.finish(out);
  canonicalizer.update("\nb", out);
  canonicalizer.finish(out);
  EXPECT_EQ(out.text, "a\r\r\n\nb\r\n");
}

}  // namespace
}  // namespace tapal::mailauth

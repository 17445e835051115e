#include "values/dns/update.h"

#include <gtest/gtest.h>

#include "values/dns/message.h"

namespace tapal::dns {
namespace {

const std::string head("\xab\xcd\x28\0\0\1\0\0\0\3\0\0", 12);
const std::string zone("\7example\3com\0\0\6\0\1", 17);
const std::string name("\1a\7example\3com\0", 15);

TEST(WriteUpdate, takes_a_set_away_and_puts_another_in_its_place) {
  const RecordSet set{"a.example.com",
                      Type::mx,
                      std::chrono::seconds(60),
                      {MailExchange{10, "m"}, MailExchange{20, ""}}};
  EXPECT_EQ(write_update(0xabcd, "example.com", std::span(&set, 1)).value(),
            head + zone + name + std::string("\0\x0f\0\xff\0\0\0\0\0\0", 10) +   // delete the set
                name + std::string("\0\x0f\0\1\0\0\0\x3c\0\5\0\x0a\1m\0", 15) +  // add
                name + std::string("\0\x0f\0\1\0\0\0\x3c\0\3\0\x14\0", 13));
}

TEST(WriteUpdate, only_removes_an_empty_set) {
  const RecordSet sets[] = {{"a.example.com", Type::txt, std::chrono::seconds(60), {}}};
  auto wanted = head;
  wanted[9] = 1;
  EXPECT_EQ(write_update(0xabcd, "example.com", sets).value(),
            wanted + zone + name + std::string("\0\x10\0\xff\0\0\0\0\0\0", 10));
}

TEST(WriteUpdate, lets_a_cname_replace_another_by_itself) {
  const RecordSet sets[] = {
      {"a.example.com", Type::cname, std::chrono::seconds(60), {NameTarget{"m"}}}};
  auto wanted = head;
  wanted[9] = 1;
  EXPECT_EQ(write_update(0xabcd, "example.com", sets).value(),
            wanted + zone + name + std::string("\0\5\0\1\0\0\0\x3c\0\3\1m\0", 13));
}

TEST(WriteUpdate, refuses_what_cannot_be_written) {
  const auto code = [](const RecordSet& set) {
    const std::vector<RecordSet> sets(300, set);
    return write_update(1, "example.com", sets).error().code;
  };
  EXPECT_EQ(code({"a..b", Type::a, std::chrono::seconds(1), {}}), Code::invalid);
  EXPECT_EQ(code({"a", Type::mx, std::chrono::seconds(1), {Text{"x"}}}), Code::invalid);
  EXPECT_EQ(code({"a", Type::txt, std::chrono::seconds(1), {Text{std::string(250, 'x')}}}),
            Code::invalid);
}

}  // namespace
}  // namespace tapal::dns

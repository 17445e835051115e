#include "services/intake/priority.h"

#include <gtest/gtest.h>

namespace tapal::intake {
namespace {

using queue::Priority;

TEST(Priority, is_what_the_message_says_or_looks_like) {
  const struct {
    std::string_view header;
    std::size_t recipients;
    std::uint64_t bytes;
    Priority priority;
  } cases[] = {
      {"Subject: your password\r\n", 1, 2'000, Priority::interactive},
      {"Subject: hello all\r\n", 6, 2'000, Priority::normal},
      {"Subject: pictures\r\n", 1, 5'000'000, Priority::normal},
      {"MT-Priority: 6\r\n", 50, 5'000'000, Priority::interactive},
      {"MT-Priority: 0\r\n", 1, 100, Priority::normal},
      {"MT-Priority: -3\r\n", 1, 100, Priority::bulk},
      {"MT-Priority: soon\r\n", 1, 100, Priority::interactive},
      {"List-Id: <news.example>\r\nMT-Priority: 4\r\n", 1, 100, Priority::interactive},
      {"List-Unsubscribe: <https://a.example/>\r\n", 1, 100, Priority::bulk},
      {"Precedence: Bulk\r\n", 1, 100, Priority::bulk},
      {"Precedence: first-class\r\n", 1, 100, Priority::interactive},
      {"no header at all", 1, 100, Priority::interactive},
  };
  for (const auto& c : cases)
    EXPECT_EQ(priority_of({.header = c.header, .recipients = c.recipients, .bytes = c.bytes}),
              c.priority)
        << c.header;
}

TEST(Priority, of_a_user_for_bulk_is_bulk) {
  EXPECT_EQ(priority_of({.header = "MT-Priority: 9\r\n", .is_bulk_user = true}), Priority::bulk);
}

}  // namespace
}  // namespace tapal::intake

// Messages with a known answer, signed by others: tests/messages/dkim.
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "protocols/mailauth/dkim_verify.h"
#include "protocols/mailauth/test_key_zone.h"
#include "values/text/ascii.h"

namespace tapal::mailauth {
namespace {

constexpr WallTime now{std::chrono::seconds(1'900'000'000)};

std::string read_file(const std::string& name) {
  std::ifstream file(std::string(TAPAL_SOURCE_FOLDER "/tests/messages/dkim/") + name,
                     std::ios::binary);
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

KeyZone read_keys() {
  KeyZone keys;
  const std::string text = read_file("keys.txt");
  for (const std::string_view line : text::split(text, '\n')) {
    const std::size_t tab = line.find('\t');
    if (tab != std::string_view::npos) {
      keys.add(std::string(line.substr(0, tab)), std::string(line.substr(tab + 1)));
    }
  }
  return keys;
}

std::string verdicts_of(const std::string& message, const KeyZone& keys) {
  const std::size_t end = message.find("\r\n\r\n");
  SignedMessage signed_message(message.substr(0, end + 2));
  DkimVerifier verifier(signed_message);
  keys.answer(signed_message);
  signed_message.on_body(std::string_view(message).substr(end + 4));
  std::string verdicts;
  for (const DkimResult& result : verifier.results(now)) {
    verdicts += (verdicts.empty() ? "" : " ") + std::string(dkim_verdict_text(result.verdict));
  }
  return verdicts.empty() ? "none" : verdicts;
}

TEST(DkimGolden, messages_get_the_verdicts_they_are_known_to_deserve) {
  const auto keys = read_keys();
  const std::string expected = read_file("expected.txt");
  int messages = 0;
  for (const std::string_view line : text::split(expected, '\n')) {
    if (line.empty() || line.starts_with('#')) continue;
    const std::size_t space = line.find(' ');
    const std::string name(line.substr(0, space));
    EXPECT_EQ(verdicts_of(read_file(name), keys), line.substr(space + 1)) << name;
    ++messages;
  }
  EXPECT_GE(messages, 25);
}

}  // namespace
}  // namespace tapal::mailauth

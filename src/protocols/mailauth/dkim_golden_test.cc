// Messages with a known answer, signed by others: tests/messages/dkim.
#include <fstream>
#include <iterator>
#include <map>

#include <gtest/gtest.h>

#include "protocols/mailauth/dkim_verify.h"
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

std::map<std::string, std::string> read_keys() {
  std::map<std::string, std::string> keys;
  const std::string text = read_file("keys.txt");
  for (const std::string_view line : text::split(text, '\n')) {
    const std::size_t tab = line.find('\t');
    if (tab != std::string_view::npos) keys.emplace(line.substr(0, tab), line.substr(tab + 1));
  }
  return keys;
}

std::string verdicts_of(const std::string& message,
                        const std::map<std::string, std::string>& keys) {
  const std::size_t end = message.find("\r\n\r\n");
  DkimVerifier verifier(message.substr(0, end + 2));
  for (std::size_t i = 0; i < verifier.questions().size(); ++i) {
    const auto key = keys.find(verifier.questions()[i]);
    if (key == keys.end()) {
      verifier.on_key(i, {.status = DkimKeyAnswer::Status::no_such_name, .texts = {}});
    } else {
      verifier.on_key(i, {.texts = {key->second}});
    }
  }
  verifier.on_body(std::string_view(message).substr(end + 4));
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

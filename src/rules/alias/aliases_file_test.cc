#include "rules/alias/aliases_file.h"

#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tapal::alias {
namespace {

AliasesFile read(std::string_view text, const std::map<std::string, std::string>& files = {}) {
  const account::DomainSettings settings;
  const ReadInclude include = [&](std::string_view name) -> Result<std::string> {
    const auto found = files.find(std::string(name));
    if (found == files.end()) return fail(Code::not_found, fmt::format("d/{}: not there", name));
    return found->second;
  };
  return read_aliases({text, "example.com", "d/aliases", settings, include});
}

std::string text_of(const RuleTarget& target) {
  switch (target.kind) {
    case RuleTarget::Kind::address: break;
    case RuleTarget::Kind::mapped:
      return fmt::format("map {}@{} {}",
                         target.address.local,
                         target.address.domain,
                         alias::text_of(target.handover));
    case RuleTarget::Kind::keep: return "keep";
    case RuleTarget::Kind::handed: return alias::text_of(target.handover);
    case RuleTarget::Kind::include: return "include";
    case RuleTarget::Kind::reject: return "reject " + target.text;
  }
  return fmt::format("{} {}", target.address.text(), alias::text_of(target.handover));
}

// The targets of "x: ...", or of "/x(.)/: ..." where it says so.
std::string targets(std::string_view list, std::string_view name = "x") {
  const auto file = read(fmt::format("{}: {}\n", name, list));
  if (!file.problems.empty()) return file.problems.front().substr(0, 200);
  std::string all;
  for (const auto& target : file.rules.at(0).targets) all += "[" + text_of(target) + "]";
  return all;
}

TEST(AliasesFile, reads_every_kind_of_target) {
  struct Case {
    std::string_view text, read;
  };
  const Case cases[] = {
      {"ann, Bob@Far.Example", "[ann@example.com ][Bob@far.example ]"},
      {"\"a b\", \"a@b\"@far.example", "[\"a b\"@example.com ][\"a@b\"@far.example ]"},
      {"ann via mx.far.example", "[ann@example.com via mx.far.example]"},
      {"via@b\u00fccher.example  via\tMX.B\u00fccher.example:2525",
       "[via@xn--bcher-kva.example via mx.xn--bcher-kva.example:2525]"},
      {"via via via.example", "[via@example.com via via.example]"},
      {"ann via 192.0.2.1:26, ann via [2001:DB8::1], ann via [2001:db8::1]:26",
       "[ann@example.com via 192.0.2.1:26][ann@example.com via [2001:db8::1]]"
       "[ann@example.com via [2001:db8::1]:26]"},
      {"*@far.example", "[map *@far.example ]"},
      {"* via mx.example", "[map *@example.com via mx.example]"},
      {":keep:, :KEEP:", "[keep][keep]"},
      {"| /bin/p a 'b c'", "[| /bin/p a b c]"},
      {":maildir: /srv/m, :maildir: \"/srv/a, b\"", "[:maildir: /srv/m][:maildir: /srv/a, b]"},
      {":lmtp: unix:/run/x.sock, :lmtp: [::1]:24", "[:lmtp: unix:/run/x.sock][:lmtp: [::1]:24]"},
      {":http: https://h.example:8443/p?q=a", "[:http: https://h.example:8443/p?q=a]"},
      {":reject: No, thanks # comment", "[reject No, thanks]"},
      {":reject:", "[reject ]"},
      {R"(\1, "\1")",
       "d/aliases:1: \"\\\\1\" is neither a local part nor an address: \\1 is a group that the "
       "alias does not have"},
  };
  for (const auto& [text, expected] : cases) {
    SCOPED_TRACE(text);
    EXPECT_EQ(targets(text), expected);
  }
  EXPECT_EQ(targets(R"(\1, a-\0@far.example via mx.example, "\1")", "/x(.)/"),
            R"([map \1@example.com ][map a-\0@far.example via mx.example][1@example.com ])");
}

TEST(AliasesFile, tells_what_is_wrong_and_how_it_should_be) {
  struct Case {
    std::string_view name, line, told;
  };
  const Case cases[] = {
      {"a relative program", "x: | prog", "a program is named by its absolute path"},
      {"no program", "x: |", "a program is named by its absolute path"},
      {"a quote in a program", "x: | /p 'a", "a quote is not closed"},
      {"a relative folder", "x: :maildir: m", "what follows :maildir: is not an absolute path"},
      {"two words",
       "x: :maildir: /a b",
       "expected an absolute path and nothing more; quote one with spaces"},
      {"no word", "x: :maildir:", "expected an absolute path"},
      {"LMTP without a port",
       "x: :lmtp: host",
       "what follows :lmtp: is not unix:/path or host:port"},
      {"LMTP, relative", "x: :lmtp: unix:x", "what follows :lmtp: is not unix:/path or host:port"},
      {"LMTP, IPv6 without a port",
       "x: :lmtp: [::1]",
       "what follows :lmtp: is not unix:/path or host:port"},
      {"another scheme",
       "x: :http: ftp://h/",
       "what follows :http: is not a URL: https://host/path"},
      {"a URL without a host", "x: :http: http:///x", "what follows :http: is not a URL"},
      {"an unknown word", "x: :pipe: /p", "\":pipe: /p\" is none of :keep:, :maildir:"},
      {"half a word", "x: :keep", "\":keep\" is none of :keep:"},
      {"keep and more", "x: :keep: ann", "\":keep: ann\" has something behind :keep:"},
      {"keep in a catch-all", "*: :keep:", "*: :keep: is for an alias that bears a user's name"},
      {"a rejection beside others", "x: ann, :reject: no", "x: :reject: stands alone"},
      {"a rejection in UTF-8", "x: :reject: Grüße", "\"Grüße\" cannot be said in a reply"},
      {"no host", "x: ann via a_b", "\"a_b\" is no host after \"via\""},
      {"a port that is none", "x: ann via h:0", "\"h:0\" is no host after \"via\""},
      {"bare IPv6 with a port", "x: ann via ::1:25", "\"::1:25\" is no host after \"via\""},
      {"a group in a catch-all", "*: \\1", "\\1 is a group that the alias does not have"},
      {"a group too many", "/x(.)/: \\2", "\\2 is a group that the alias does not have"},
      {"a group in the domain", "/x(.)/: a@\\1.example", "\"a@\\\\1.example\" is neither"},
      {"a mapped target that can be none", "/x(.)/: a..\\1", "\"a..\\\\1\" is neither"},
      {"an empty pattern", "//: ann", "//: the pattern is empty"},
      {"half a pattern", "/x/y: ann", "\"/x/y\": a pattern stands between two slashes"},
      {"a wrong pattern", "/x(/: ann", "/x(/: no pattern: missing ): x("},
      {"look-ahead", "/(?=x)/: ann", "/(?=x)/: no pattern: invalid perl operator"},
      {"back-reference", "/(x)\\1/: ann", "/(x)\\\\1/: no pattern: invalid escape sequence"},
      {"a pattern that explodes",
       "/((x{1000}){1000}){1000}/: a",
       "/((x{1000}){1000}){1000}/: no pattern"},
      {"ten groups",
       "/()()()()()()()()()()/: ann",
       "/()()()()()()()()()()/: the pattern has more than 9"},
      {"a pattern twice", "/x/: ann\n/x/: bob", "/x/ is here a second time; first on line 1"},
      {"out by dots", "x: :include: a/../../b", "\"a/../../b\": a file is included by its name"},
      {"from the root",
       "x: :include: /etc/passwd",
       "\"/etc/passwd\": a file is included by its name"},
      {"a file that is not there", "x: :include: none", "d/none: not there"},
  };
  for (const auto& [name, line, told] : cases) {
    SCOPED_TRACE(name);
    const auto problems = read(std::string(line) + "\n").problems;
    ASSERT_EQ(problems.size(), 1u);
    EXPECT_TRUE(problems[0].contains(told)) << problems[0];
  }
}

TEST(AliasesFile, takes_addresses_from_other_files) {
  const std::map<std::string, std::string> files{
      {"staff", "# who works here\nann, bob\r\n\nx@far.example # new\n"},
      {"lists/empty", "# nobody yet\n"},
      {"bad", "ann\n| /bin/sh\n"},
      {"broken", "ann\n\na b\n"},
  };
  const auto file = read("all: :include: staff, carl\nnone: :include: lists/empty\n", files);
  EXPECT_EQ(file.problems, std::vector<std::string>());
  ASSERT_EQ(file.rules.size(), 2U);
  EXPECT_EQ(file.rules[0].targets.size(), 4U);
  EXPECT_EQ(file.rules[1].targets.size(), 0U);
  EXPECT_EQ(read("x: :include: bad\n", files).problems,
            std::vector<std::string>{"d/bad:2: an included file has addresses only"});
  EXPECT_TRUE(read("x: :include: broken\n", files)
                  .problems.at(0)
                  .starts_with("d/broken:3: this is neither"));
}

TEST(AliasesFile, is_bounded) {
  const std::string many =
      fmt::format("x: {}\n", fmt::join(std::vector<std::string>(1001, "a"), ","));
  EXPECT_EQ(read(many).problems,
            std::vector<std::string>{"d/aliases:1: x has more than 1000 targets"});
  std::string included;
  for (int i = 0; i < 1001; ++i) included += "a\n";
  EXPECT_EQ(read("x: :include: f\n", {{"f", included}}).problems.size(), 1U);
  EXPECT_TRUE(
      read("x: " + std::string(alias_line_bytes_max, 'a')).problems.at(0).contains("longer than"));
  std::string patterns;
  for (int i = 0; i < 1001; ++i) patterns += fmt::format("/p{}/: a\n", i);
  EXPECT_TRUE(read(patterns).problems.at(0).contains("more than 1000 patterns"));
  std::string wrong;
  for (int i = 0; i < 1000; ++i) wrong += "nonsense\n";
  EXPECT_EQ(read(wrong).problems.size(), 100U);
}

}  // namespace
}  // namespace tapal::alias

// The notices that others collected (TAPAL_CORPORA, bounces/) against what people say they mean:
// tests/bounces/labels, a line a notice: its file, then what it is, or for each recipient its
// category and fate.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <random>

#include "rules/bounce/returned_mail.h"
#include "values/text/ascii.h"

namespace tapal::bounce {
namespace {

namespace fs = std::filesystem;

fs::path corpus() {
  const char* folder = std::getenv("TAPAL_CORPORA");
  const auto corpora =
      folder != nullptr ? fs::path(folder) : fs::path(TAPAL_SOURCE_FOLDER) / "../shared/corpora";
  return corpora / "bounces/maildir/bsd";
}

std::string with_crlf(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text;
  for (std::string line; std::getline(file, line);) {
    if (line.ends_with('\r')) line.pop_back();
    text += line + "\r\n";
  }
  return text;
}

struct Score {
  std::size_t right = 0;
  std::size_t all = 0;
  void count(bool is_right) { ++all, right += is_right ? 1 : 0; }
  std::string text() const {
    return fmt::format(
        "{:4} of {:4}  {:5.1f} %",
        right,
        all,
        all == 0 ? 100.0 : 100.0 * static_cast<double>(right) / static_cast<double>(all));
  }
};

struct Scores {
  std::map<std::string, Score, std::less<>> of_category;
  Score categories, hardness, kinds, counts;
};

// "no_such_user" or "mailbox_full/delayed" against what was read.
void compare(std::string_view file, std::string_view label, const Returned* found, Scores& scores) {
  const auto slash = label.find('/');
  const auto category = category_named(label.substr(0, slash));
  ASSERT_TRUE(category) << file << ": " << label;
  const bool is_delayed = slash != label.npos;
  const bool is_hard = row_of(*category).is_hard && !is_delayed;
  const bool is_right = found != nullptr && found->diagnosis.category == *category;
  scores.of_category[std::string(label.substr(0, slash))].count(is_right);
  scores.categories.count(is_right);
  const bool fits = found != nullptr && found->diagnosis.is_hard == is_hard &&
                    (found->fate == Fate::delayed) == is_delayed;
  scores.hardness.count(fits);
  if (is_right && fits) return;
  std::cout << fmt::format("{}{}: wanted {}, got {} {} {} by {}\n    {}\n",
                           fits ? "" : "HARDNESS ",
                           file,
                           label,
                           found == nullptr ? "nothing" : row_of(found->diagnosis.category).name,
                           found == nullptr ? "" : text_of(found->fate),
                           found == nullptr ? "" : found->recipient,
                           found == nullptr ? "" : found->diagnosis.rule,
                           found == nullptr ? "" : text::printable(found->said, 300));
}

TEST(Corpus, is_read_as_people_read_it) {
  if (!fs::exists(corpus())) GTEST_SKIP() << "the corpora are absent: set TAPAL_CORPORA";
  const auto rules = BounceRules::read("", "");
  ASSERT_TRUE(rules) << (rules ? "" : rules.error().what);
  std::ifstream labels(fs::path(TAPAL_SOURCE_FOLDER) / "tests/bounces/labels");
  Scores scores;
  for (std::string line; std::getline(labels, line);) {
    const auto words = text::words(line);
    if (words.size() < 2 || words[0].starts_with('#')) continue;
    const auto mail =
        read_returned_mail(with_crlf(corpus() / fmt::format("{}.eml", words[0])), *rules);
    const bool is_bounce = category_named(words[1].substr(0, words[1].find('/'))).has_value();
    const bool is_kind =
        words[1] == text_of(mail.kind) || (is_bounce && mail.kind == NoticeKind::bounce);
    scores.kinds.count(is_kind);
    if (!is_kind) std::cout << words[0] << ": is taken for " << text_of(mail.kind) << '\n';
    if (!is_bounce) continue;
    scores.counts.count(mail.returned.size() == words.size() - 1);
    if (mail.returned.size() != words.size() - 1)
      std::cout << words[0] << ": has " << mail.returned.size() << " recipients\n";
    for (std::size_t i = 1; i < words.size(); ++i)
      compare(
          words[0], words[i], i <= mail.returned.size() ? &mail.returned[i - 1] : nullptr, scores);
  }
  for (const auto& [category, score] : scores.of_category)
    std::cout << fmt::format("{:16} {}\n", category, score.text());
  std::cout << fmt::format("{:16} {}\n{:16} {}\n{:16} {}\n{:16} {}\n",
                           "category",
                           scores.categories.text(),
                           "hard or soft",
                           scores.hardness.text(),
                           "kind of notice",
                           scores.kinds.text(),
                           "recipients",
                           scores.counts.text());
  EXPECT_GE(scores.hardness.all, 300U);
  EXPECT_GE(scores.hardness.right * 100, scores.hardness.all * 95);
  EXPECT_GE(scores.categories.right * 100, scores.categories.all * 90);
}

TEST(Corpus, is_read_within_its_limits_however_it_is_damaged) {
  if (!fs::exists(corpus())) GTEST_SKIP() << "the corpora are absent: set TAPAL_CORPORA";
  const auto rules = BounceRules::read("", "");
  ASSERT_TRUE(rules);
  std::mt19937 random(1);  // the same damage in each run
  const auto below = [&random](std::size_t bound) { return random() % bound; };
  for (const auto& entry : fs::directory_iterator(corpus())) {
    const std::string whole = with_crlf(entry.path()).substr(0, 20'000);
    if (whole.empty()) continue;
    for (int round = 0; round < 4; ++round) {
      std::string message = whole.substr(0, below(whole.size() + 1));
      for (int i = 0; i < 20 && !message.empty(); ++i)
        message[below(message.size())] = "\r\n:;<>@\"-= 5.\0\xFF"[below(15)];
      const auto mail = read_returned_mail(message, *rules);
      ASSERT_EQ(mail.kind == NoticeKind::bounce, !mail.returned.empty()) << entry.path();
      for (const Returned& one : mail.returned) ASSERT_GE(one.diagnosis.status.size(), 5U);
    }
  }
}

}  // namespace
}  // namespace tapal::bounce

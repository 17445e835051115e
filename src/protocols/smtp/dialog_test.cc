// Plays the dialogues of tests/dialogs: whole, byte by byte, cut at every place, with answers that
// come late, and cut at random. The outcome must be the one written down each time. The form of
// the files is told in tests/dialogs/README.md.
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "protocols/smtp/session_player.h"

namespace tapal::smtp {
namespace {

namespace fs = std::filesystem;

struct Step {
  enum class Kind : std::uint8_t { bytes, seconds, shutdown, overload, refuse_body };
  Kind kind = Kind::bytes;
  std::string text;                  // bytes, seconds or a reply
  std::vector<std::string> replies;  // expected: a final '*' stands for any rest of the
                                     // line, "250..." for a reply of several lines
  std::vector<std::string> actions;  // expected
};

struct Dialog {
  ServerOptions options;
  bool cut = true;
  std::vector<Step> steps;
  std::vector<std::pair<std::string, std::string>> answers;  // question and answer, in order
};

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\' || at + 1 == text.size()) {
      out += text[at];
      continue;
    }
    const char c = text[++at];
    if (c == 'r') {
      out += '\r';
    } else if (c == 'n') {
      out += '\n';
    } else if (c == '0') {
      out += '\0';
    } else if (c == 'x') {
      int value = 0;
      std::from_chars(text.data() + at + 1, text.data() + at + 3, value, 16);
      out += static_cast<char>(value);
      at += 2;
    } else if (c == '*') {  // \*300a: three hundred times "a"
      std::size_t count = 0;
      const char* begin = text.data() + at + 1;
      const char* end = std::from_chars(begin, text.data() + text.size(), count).ptr;
      out.append(count, *end);
      at += static_cast<std::size_t>(end - begin) + 1;
    } else {
      out += c;
    }
  }
  return out;
}

void set_option(Dialog& dialog, std::string_view name, std::string_view value) {
  ServerOptions& options = dialog.options;
  ServerLimits& limits = options.limits;
  const std::map<std::string_view, std::size_t*> counts = {
      {"command_line_bytes", &limits.command_line_bytes},
      {"auth_line_bytes", &limits.auth_line_bytes},
      {"text_line_bytes", &limits.text_line_bytes},
      {"recipients", &limits.recipients},
      {"refused_recipients", &limits.refused_recipients},
      {"errors", &limits.errors},
      {"idle_commands", &limits.idle_commands},
      {"transactions", &limits.transactions},
      {"auth_attempts", &limits.auth_attempts}};
  const std::map<std::string_view, std::uint64_t*> sizes = {
      {"header_bytes", &limits.header_bytes},
      {"message_bytes", &limits.message_bytes},
      {"discarded_bytes", &limits.discarded_bytes}};
  if (const auto count = counts.find(name); count != counts.end()) {
    *count->second = text::to_number<std::size_t>(value).value();
  } else if (const auto size = sizes.find(name); size != sizes.end()) {
    *size->second = text::to_number<std::uint64_t>(value).value();
  } else if (name == "role") {
    options.role = value == "submission" ? ServerRole::submission : ServerRole::mx;
  } else if (name == "tls") {
    options.tls = value == "starttls"   ? ServerTls::starttls
                  : value == "implicit" ? ServerTls::implicit_tls
                                        : ServerTls::none;
  } else if (name == "required" && value == "tls") {
    options.tls_required = true;
  } else if (name == "required" && value == "authentication") {
    options.authentication_required = true;
  } else if (name == "mechanisms") {
    for (const std::string_view each : text::split(value, ','))
      options.mechanisms.emplace_back(each);
  } else if (name == "cut" && value == "never") {
    dialog.cut = false;
  } else {
    ADD_FAILURE() << "unknown option " << name << '=' << value;
  }
}

void add_event(Dialog& dialog, std::string_view text) {
  using Kind = Step::Kind;
  const std::size_t space = text.find(' ');
  const std::string_view word = text.substr(0, space);
  const std::string rest(space == std::string_view::npos ? "" : text.substr(space + 1));
  const std::map<std::string_view, Kind> kinds = {{"seconds", Kind::seconds},
                                                  {"shutdown", Kind::shutdown},
                                                  {"overload", Kind::overload},
                                                  {"refuse-body", Kind::refuse_body}};
  ASSERT_TRUE(kinds.contains(word)) << text;
  dialog.steps.push_back({kinds.at(word), rest, {}, {}});
}

void add_line(Dialog& dialog, std::string_view tag, std::string_view text) {
  if (tag == "O") {
    const std::size_t equals = text.find('=');
    return set_option(dialog, text.substr(0, equals), text.substr(equals + 1));
  }
  if (tag == "E") return add_event(dialog, text);
  if (tag == "C" || tag == "B") {
    Step& last = dialog.steps.back();
    const bool begun =
        last.kind == Step::Kind::bytes && last.replies.empty() && last.actions.empty();
    if (!begun || dialog.steps.size() == 1) dialog.steps.push_back({Step::Kind::bytes, "", {}, {}});
    dialog.steps.back().text += unescaped(text) + (tag == "C" ? "\r\n" : "");
  } else if (tag == "S") {
    dialog.steps.back().replies.emplace_back(text);
  } else if (tag == "Q") {
    dialog.steps.back().actions.push_back(escaped(unescaped(text)));
  } else if (tag == "A") {
    dialog.answers.emplace_back(dialog.steps.back().actions.back(), text);
  } else {
    ADD_FAILURE() << "unknown line " << tag;
  }
}

Dialog load(const fs::path& path) {
  Dialog dialog;
  dialog.options.hostname = "mx.example";
  dialog.steps.emplace_back();  // what comes before the client speaks
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (line.empty() || line.starts_with('#')) continue;
    const std::size_t colon = line.find(':');
    const std::size_t text = std::min(line.size(), colon + 2);
    add_line(dialog, std::string_view(line).substr(0, colon), std::string_view(line).substr(text));
  }
  return dialog;
}

// Where to cut a step's bytes: the lengths of the pieces.
using Cutter = std::function<std::vector<std::size_t>(std::size_t step, std::size_t bytes)>;

class Play {
 public:
  Play(const Dialog& dialog, SessionPlayer::Answering answering)
      : dialog_(dialog),
        player_(dialog.options, [this](const std::string& q) { return answer(q); }, answering) {}

  void run(const Cutter& cutter) {
    for (std::size_t at = 0; at < dialog_.steps.size(); ++at) {
      const Step& step = dialog_.steps[at];
      if (at == 0 && step.replies.empty()) continue;  // something happens before the greeting
      give(step, cutter(at, step.text.size()));
      EXPECT_EQ(player_.take_trace(), step.actions) << "step " << at << ": " << escaped(step.text);
      expect_replies(step);
      if (::testing::Test::HasFailure()) return;
    }
    EXPECT_EQ(answered_, dialog_.answers.size()) << "an answer was not asked for";
  }

 private:
  std::string answer(const std::string& question) {
    if (answered_ == dialog_.answers.size() || dialog_.answers[answered_].first != question)
      return "accept";
    return dialog_.answers[answered_++].second;
  }
  static Reply reply_of(std::string_view text) {
    return make_reply(
        text::to_number<int>(text.substr(0, 3)).value_or(0), text.substr(4, 5), text.substr(10));
  }
  void give(const Step& step, const std::vector<std::size_t>& pieces) {
    using Kind = Step::Kind;
    std::string_view rest = step.text;
    switch (step.kind) {
      case Kind::bytes:
        player_.drain();
        for (const std::size_t piece : pieces) {
          player_.say(rest.substr(0, piece));
          rest.remove_prefix(piece);
        }
        break;
      case Kind::seconds:
        player_.now += std::chrono::seconds(text::to_number<int>(step.text).value());
        player_.session.on_time(player_.now);
        break;
      case Kind::shutdown: player_.session.on_shutdown(); break;
      case Kind::overload: player_.session.on_overload(reply_of(step.text)); break;
      case Kind::refuse_body: player_.refuse_next_body(reply_of(step.text)); break;
    }
    player_.drain();
  }
  void expect_replies(const Step& step) {
    std::string got = player_.take_sent();
    std::vector<std::string> lines;
    while (!got.empty()) {
      const std::size_t end = got.find("\r\n");
      lines.push_back(got.substr(0, end));
      got.erase(0, end == std::string::npos ? end : end + 2);
    }
    std::size_t at = 0;
    bool same = true;
    for (const std::string_view want : step.replies) {
      if (want == "250...")
        while (at < lines.size() && lines[at].starts_with("250-")) ++at;
      if (!same || at == lines.size()) {
        same = false;
        break;
      }
      const std::string_view line = lines[at++];
      same = want == "250..."      ? line.starts_with("250 ")
             : want.ends_with('*') ? line.starts_with(want.substr(0, want.size() - 1))
                                   : line == want;
    }
    same = same && at == lines.size();
    EXPECT_TRUE(same) << "after: " << escaped(step.text)
                      << "\ngot:  " << ::testing::PrintToString(lines)
                      << "\nwant: " << ::testing::PrintToString(step.replies);
  }

  const Dialog& dialog_;
  std::size_t answered_ = 0;
  SessionPlayer player_;
};

std::vector<std::size_t> whole(std::size_t bytes) {
  return bytes == 0 ? std::vector<std::size_t>{} : std::vector<std::size_t>{bytes};
}

void play(const Dialog& dialog, const Cutter& cutter, SessionPlayer::Answering answering) {
  Play(dialog, answering).run(cutter);
}

class DialogTest : public ::testing::TestWithParam<fs::path> {
 protected:
  const Dialog dialog = load(GetParam());
};

TEST_P(DialogTest, goes_as_written_when_played_whole) {
  ASSERT_GT(dialog.steps.size(), 1u);
  const auto cutter = [](std::size_t, std::size_t bytes) { return whole(bytes); };
  play(dialog, cutter, SessionPlayer::Answering::at_once);
  play(dialog, cutter, SessionPlayer::Answering::later);
}

TEST_P(DialogTest, goes_as_written_byte_by_byte) {
  if (!dialog.cut) return;
  play(
      dialog,
      [](std::size_t, std::size_t bytes) { return std::vector<std::size_t>(bytes, 1); },
      SessionPlayer::Answering::at_once);
}

TEST_P(DialogTest, goes_as_written_when_cut_at_any_place) {
  if (!dialog.cut) return;
  for (std::size_t step = 0; step < dialog.steps.size(); ++step) {
    if (dialog.steps[step].kind != Step::Kind::bytes) continue;
    const std::size_t size = dialog.steps[step].text.size();
    // Long runs of one letter have no place of interest within.
    const std::size_t stride = size > 4000 ? 61 : 1;
    for (std::size_t cut = 1; cut < size; cut += stride) {
      SCOPED_TRACE(fmt::format("step {} cut at byte {}", step, cut));
      play(
          dialog,
          [&](std::size_t at, std::size_t bytes) {
            return at == step ? std::vector{cut, bytes - cut} : whole(bytes);
          },
          SessionPlayer::Answering::at_once);
      if (HasFailure()) return;
    }
  }
}

TEST_P(DialogTest, goes_as_written_when_cut_at_random) {
  if (!dialog.cut) return;
  for (unsigned seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937 random(seed);
    play(
        dialog,
        [&](std::size_t, std::size_t bytes) {
          std::vector<std::size_t> pieces;
          while (bytes > 0) {
            pieces.push_back(std::min<std::size_t>(bytes, 1 + random() % (1 + random() % 200)));
            bytes -= pieces.back();
          }
          return pieces;
        },
        seed % 2 == 0 ? SessionPlayer::Answering::at_once : SessionPlayer::Answering::later);
    if (HasFailure()) return;
  }
}

std::vector<fs::path> dialogs() {
  std::vector<fs::path> all;
  for (const auto& entry : fs::directory_iterator(TAPAL_SOURCE_FOLDER "/tests/dialogs"))
    if (entry.path().extension() == ".txt") all.push_back(entry.path());
  std::sort(all.begin(), all.end());
  return all;
}

INSTANTIATE_TEST_SUITE_P(Server, DialogTest, ::testing::ValuesIn(dialogs()), [](const auto& info) {
  return info.param.stem().string();
});

TEST(Dialogs, are_all_there) { EXPECT_GE(dialogs().size(), 30u); }

}  // namespace
}  // namespace tapal::smtp

// For tests: dialogues with a ClientSession, and the ways to play them.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "protocols/smtp/client_test_shell.h"

namespace tapal::smtp {

struct Dialogue {
  std::string name;
  ClientPlan plan;
  std::string script;  // "S: " the peer says, "C: " the client must say, "X:" the peer hangs up
  std::string outcome;
};

inline ClientPlan plan_of(std::vector<ClientPlan::Mail> mails, ClientTls tls = ClientTls::never) {
  ClientPlan made;
  made.options.hello_name = "client.example";
  made.options.tls = tls;
  made.mails = std::move(mails);
  return made;
}

inline ClientPlan auth_plan(std::string mechanism, std::optional<std::string> initial) {
  ClientPlan made = plan_of({}, ClientTls::implicit);
  made.options.auth = ClientAuth::required;
  made.auth_mechanism = std::move(mechanism);
  made.auth_initial = std::move(initial);
  return made;
}

inline ClientPlan lmtp_plan(std::vector<ClientPlan::Mail> mails) {
  ClientPlan made = plan_of(std::move(mails));
  made.options.variant = ClientVariant::lmtp;
  return made;
}

template <class Change>
ClientPlan with(ClientPlan made, Change change) {
  change(made);
  return made;
}

inline const std::string short_body = "Subject: x\r\n\r\n.dot\r\n";

inline std::string hello(std::string_view extensions = "") {
  std::string script = "S: 220 mx.example ESMTP\nC: EHLO client.example\nS: 250-mx.example\n";
  std::istringstream words{std::string(extensions)};
  for (std::string word; std::getline(words, word, ',');) script += "S: 250-" + word + "\n";
  return script + "S: 250 HELP\n";
}
inline const std::string bye = "C: QUIT\nS: 221 bye\n";

enum class Cut : std::uint8_t { hang_up, silence };

struct Play {
  std::size_t piece = SIZE_MAX;       // the peer's bytes come in pieces of this size
  std::size_t split_at = SIZE_MAX;    // and are split at this place
  std::size_t stop_after = SIZE_MAX;  // bytes of the peer, then
  Cut cut = Cut::hang_up;
  std::size_t body_piece = 65536;
};

// Plays a dialogue; returns the bytes that the peer said.
class Player {
 public:
  Player(const Dialogue& dialogue, Play how) : play_(how), shell(dialogue.plan) {
    shell.piece = how.body_piece;
    std::istringstream script(dialogue.script);
    for (std::string each; std::getline(script, each);) lines_.push_back(each);
    shell.run();
    while (step()) {
    }
    finished = next_ == lines_.size();
    if (!finished) stuck_at = lines_[next_];
  }

 private:
  bool step() {
    if (next_ == lines_.size() || stopped_) return false;
    const std::string& line = lines_[next_];
    if (line.starts_with("C: ")) {
      const std::string expected = line.substr(3) + "\r\n";
      const std::string_view unread = std::string_view(shell.written).substr(read_);
      if (!unread.starts_with(expected)) return false;
      read_ += expected.size();
      ++next_;
      return true;
    }
    if (line.starts_with("X:")) {
      ++next_;
      shell.session.on_closed("reset");
      shell.run();
      return true;
    }
    std::string bytes;  // all that the peer says without waiting
    while (next_ < lines_.size() && lines_[next_].starts_with("S: "))
      bytes += lines_[next_++].substr(3) + "\r\n";
    say(bytes);
    return true;
  }

  void say(std::string_view bytes) {
    while (!bytes.empty() && !stopped_) {
      std::size_t count = std::min(play_.piece, bytes.size());
      if (said < play_.split_at) count = std::min(count, play_.split_at - said);
      count = std::min(count, play_.stop_after - said);
      if (count > 0) shell.feed(bytes.substr(0, count));
      said += count;
      bytes.remove_prefix(count);
      if (said == play_.stop_after) stop();
    }
  }

  void stop() {
    stopped_ = true;
    if (play_.cut == Cut::hang_up) {
      shell.session.on_closed("reset");
    } else {
      EXPECT_TRUE(shell.session.is_closed() || shell.session.deadline() != never);
      if (shell.session.deadline() == never) return;
      const Instant late = shell.session.deadline();
      shell.session.on_time(late - std::chrono::seconds(1));
      EXPECT_FALSE(shell.session.is_closed());
      shell.session.on_time(late);
    }
    shell.run();
  }

  Play play_;
  std::vector<std::string> lines_;
  std::size_t next_ = 0;
  std::size_t read_ = 0;
  bool stopped_ = false;

 public:
  ClientShell shell;
  std::size_t said = 0;
  bool finished = false;
  std::string stuck_at;
};

// Whatever happened, every recipient has exactly one outcome and the session one end.
inline void expect_laws(const ClientShell& shell, const ClientPlan& plan) {
  ASSERT_EQ(shell.dones.size(), shell.started()) << shell.what_happened();
  for (std::size_t i = 0; i < shell.dones.size(); ++i) {
    const auto& recipients = shell.dones[i].recipients;
    ASSERT_EQ(recipients.size(), plan.mails[i].transaction.envelope.recipients.size());
    bool lost = false;
    for (std::size_t k = 0; k < recipients.size(); ++k) {
      EXPECT_EQ(recipients[k].index, k);
      lost = lost || recipients[k].outcome == client::Outcome::lost;
      if (recipients[k].outcome == client::Outcome::accepted)
        EXPECT_TRUE(is_positive(recipients[k].reply));
      if (recipients[k].outcome == client::Outcome::refused)
        EXPECT_GE(recipients[k].reply.code, 400);
      if (recipients[k].outcome == client::Outcome::lost) EXPECT_FALSE(recipients[k].what.empty());
    }
    if (shell.dones[i].maybe_delivered) EXPECT_TRUE(lost);
  }
  EXPECT_LE(shell.failures.size(), 1u);
  for (const auto& failure : shell.failures) EXPECT_FALSE(failure.what.empty());
  EXPECT_EQ(shell.closes, shell.session.is_closed() ? 1 : 0);
  if (shell.closes == 1) EXPECT_EQ(shell.events.back(), "close");
}

inline void expect_outcomes(const std::vector<Dialogue>& dialogues) {
  for (const Dialogue& dialogue : dialogues) {
    SCOPED_TRACE(dialogue.name);
    Player player(dialogue, {});
    EXPECT_TRUE(player.finished) << "stuck at " << player.stuck_at << "\n" << player.shell.written;
    EXPECT_EQ(player.shell.what_happened(), dialogue.outcome);
    EXPECT_EQ(player.shell.closes, 1);
    expect_laws(player.shell, dialogue.plan);
  }
}

inline void expect_same_however_cut(const std::vector<Dialogue>& dialogues) {
  for (const Dialogue& dialogue : dialogues) {
    SCOPED_TRACE(dialogue.name);
    const Player whole(dialogue, {});
    std::vector<Play> plays = {{.piece = 1}, {.piece = 3}, {.body_piece = 1}};
    for (std::size_t at = 1; at < whole.said; ++at) plays.push_back({.split_at = at});
    for (const Play& play : plays) {
      const Player cut(dialogue, play);
      EXPECT_EQ(cut.shell.what_happened(), dialogue.outcome);
      EXPECT_EQ(cut.shell.written, whole.shell.written);
    }
  }
}

inline void expect_one_outcome_when_lost_anywhere(const std::vector<Dialogue>& dialogues) {
  for (const Cut cut : {Cut::hang_up, Cut::silence}) {
    for (const Dialogue& dialogue : dialogues) {
      SCOPED_TRACE(dialogue.name);
      const Player whole(dialogue, {});
      for (std::size_t at = 0; at <= whole.said; ++at) {
        const Player player(dialogue, {.stop_after = at, .cut = cut});
        EXPECT_TRUE(player.shell.session.is_closed()) << at;
        expect_laws(player.shell, dialogue.plan);
      }
    }
  }
}

}  // namespace tapal::smtp

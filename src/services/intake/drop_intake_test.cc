#include "services/intake/drop_intake.h"

#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "services/intake/test_sessions.h"

namespace tapal::intake {
namespace {

struct MemoryDrops final : DropFolder {
  Result<std::vector<std::string>> names(std::size_t names_max) override {
    std::vector<std::string> all;
    for (const auto& [name, file] : files)
      if (all.size() < names_max) all.push_back(name);
    return all;
  }
  Result<DroppedFile> read(const std::string& name) override {
    if (!files.contains(name)) return fail(Code::not_found, "gone");
    return files.at(name);
  }
  Result<void> remove(const std::string& name) override {
    files.erase(name);
    return {};
  }
  std::map<std::string, DroppedFile> files;
};

struct Seen {
  std::string from;
  std::vector<std::string> to;
  std::string text;
};

// A user "ann" (number 1000) at a server whose host is mx.own.example, so that own.example is its
// domain.
struct DropTestWorld : SessionsTestWorld {
  MemoryDrops drops;
  std::optional<DropIntake> intake;
  TaskGroup group;

  DropTestWorld() {
    intake.emplace(DropWorld{SessionWorld{loop,
                                          loop,
                                          random,
                                          log,
                                          store,
                                          return_paths,
                                          queue,
                                          authenticator,
                                          connections,
                                          domains,
                                          options},
                             drops,
                             workers,
                             [](std::uint32_t id) {
                               return id == 1000 ? LocalUser{"ann", "Ann Möller"}
                                                 : LocalUser{"www-data", ""};
                             }});
    group.spawn(intake->run());
    loop.run();
  }
  ~DropTestWorld() {
    intake->stop();
    loop.run();
    EXPECT_EQ(group.running(), 0U);
  }

  void leave(const queue::DroppedMail& mail, std::uint32_t owner = 1000) {
    drops.files["f" + std::to_string(drops.files.size())] = {owner, queue::to_text(mail)};
    intake->wake();
    loop.run();
  }
  std::vector<Seen> seen() {
    std::vector<Seen> all;
    for (const auto& [message, text] : queue.accepted) {
      const auto& path = message.envelope.return_path;
      Seen one{path ? path->text() : "", {}, text};
      for (const auto& state : message.recipients) one.to.push_back(state.recipient.address.text());
      all.push_back(std::move(one));
    }
    return all;
  }
};

TEST(DropIntake, completes_what_a_program_left_out) {
  DropTestWorld w;
  w.leave({.recipients = {"alice", "far@far.example"},
           .message = "To: alice\r\nBcc: far@far.example\r\nSubject: hi\r\n\r\nhello\r\n"});
  ASSERT_EQ(w.seen().size(), 1U);
  const auto seen = w.seen().front();
  EXPECT_EQ(seen.from, "ann@own.example");
  EXPECT_EQ(seen.to, (std::vector<std::string>{"alice@own.example", "far@far.example"}));
  for (const std::string_view part : {"From: =?UTF-8?Q?Ann_M=C3=B6ller?= ",
                                      "<ann@own.example>\r\n",
                                      "To: alice@own.example\r\n",
                                      "\r\nDate: ",
                                      "\r\nMessage-ID: <",
                                      "Received: by mx.own.example id ",
                                      "\r\n\r\nhello\r\n"})
    EXPECT_TRUE(seen.text.contains(part)) << part << "\n" << seen.text;
  EXPECT_FALSE(seen.text.contains("Bcc")) << seen.text;
  EXPECT_TRUE(w.drops.files.empty());
}

TEST(DropIntake, takes_senders_as_they_are_given) {
  const struct {
    std::optional<std::string> sender;
    std::string_view wanted;
  } cases[] = {{std::nullopt, "ann@own.example"},
               {"", ""},
               {"bob", "bob@own.example"},
               {"x@y.example", "x@y.example"}};
  for (const auto& [sender, wanted] : cases) {
    DropTestWorld w;
    w.leave({.sender = sender, .recipients = {"alice"}, .message = "\r\nhello\r\n"});
    ASSERT_EQ(w.seen().size(), 1U) << wanted;
    EXPECT_EQ(w.seen().front().from, wanted);
  }
}

TEST(DropIntake, leads_names_of_the_machine_that_nobody_has_to_the_postmaster) {
  DropTestWorld w;
  w.leave({.recipients = {"root"},
           .message = "From: root (Cron Daemon)\r\nTo: root\r\nSubject: Cron\r\n\r\nout\r\n"});
  ASSERT_EQ(w.seen().size(), 1U);
  EXPECT_TRUE(w.seen().front().text.contains("From: root@own.example (Cron Daemon)\r\n"));
}

TEST(DropIntake, returns_what_is_refused_to_its_sender_and_sends_the_rest) {
  DropTestWorld w;
  w.leave({.sender = "alice@own.example",
           .recipients = {"nobody@own.example", "bob@own.example", "not an address@"},
           .message = "Subject: hi\r\n\r\nhello\r\n"});
  ASSERT_EQ(w.seen().size(), 2U);
  EXPECT_EQ(w.seen()[0].to, std::vector<std::string>{"bob@own.example"});
  const auto notice = w.seen()[1];
  EXPECT_EQ(notice.from, "");
  EXPECT_EQ(notice.to, std::vector<std::string>{"alice@own.example"});
  for (const std::string_view part :
       {"MAILER-DAEMON@mx.own.example", "nobody@own.example", "not an address@", "5.1.1"})
    EXPECT_TRUE(notice.text.contains(part)) << part << "\n" << notice.text;
  EXPECT_TRUE(w.drops.files.empty());
}

TEST(DropIntake, answers_nothing_that_came_with_the_null_return_path) {
  DropTestWorld w;
  w.leave({.sender = "", .recipients = {"nobody@own.example"}, .message = "\r\nhello\r\n"});
  EXPECT_TRUE(w.seen().empty());
  EXPECT_TRUE(w.drops.files.empty());
  EXPECT_EQ(w.log.count("dropped mail refused"), 1U);
}

TEST(DropIntake, returns_what_is_too_long_or_has_two_authors) {
  const struct {
    std::string message;
    std::string_view why;
  } cases[] = {
      {"\r\n" + std::string(2000, 'x') + "\r\n", "5.3.4"},
      {"From: a@own.example\r\nFrom: b@own.example\r\n\r\nhello\r\n", "5.6.0"},
      {"no header : : \r\n x\r\nbroken\r\n\r\nhello\r\n", "5.6.0"},
  };
  for (const auto& [message, why] : cases) {
    DropTestWorld w;
    w.options.limits.message_bytes = 1000;
    w.leave({.sender = "alice", .recipients = {"bob"}, .message = message});
    ASSERT_EQ(w.seen().size(), 1U) << why;
    EXPECT_EQ(w.seen().front().to, std::vector<std::string>{"alice@own.example"}) << why;
    EXPECT_TRUE(w.seen().front().text.contains(why)) << w.seen().front().text;
  }
}

TEST(DropIntake, keeps_what_cannot_be_taken_now_and_comes_back_to_it) {
  DropTestWorld w;
  w.queue.is_full = true;
  w.leave({.recipients = {"alice"}, .message = "\r\none\r\n"});
  w.leave({.recipients = {"alice"}, .message = "\r\ntwo\r\n"});
  EXPECT_EQ(w.drops.files.size(), 2U);
  EXPECT_TRUE(w.seen().empty());
  w.queue.is_full = false;
  w.loop.run_for(std::chrono::seconds(61));
  EXPECT_EQ(w.seen().size(), 2U);
  EXPECT_TRUE(w.drops.files.empty());
}

TEST(DropIntake, throws_away_what_is_no_mail_and_goes_on) {
  DropTestWorld w;
  w.drops.files["a"] = {1000, "rubbish"};
  w.leave({.recipients = {"alice"}, .message = "\r\nhello\r\n"}, 33);
  EXPECT_TRUE(w.drops.files.empty());
  ASSERT_EQ(w.seen().size(), 1U);
  EXPECT_EQ(w.seen().front().from, "www-data@own.example");
  EXPECT_EQ(w.log.count("dropped file thrown away"), 1U);
}

}  // namespace
}  // namespace tapal::intake

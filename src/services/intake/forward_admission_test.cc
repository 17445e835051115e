// Who may send through the aliases that lead out, the roles, and the rewritten addresses.
#include <array>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "ports/test_fakes.h"
#include "services/intake/admission.h"
#include "services/intake/test_domains.h"

namespace tapal::intake {
namespace {

using account::Role;
using Standing = Client::Standing;

const WallTime now{std::chrono::sys_days(std::chrono::year(2026) / 11 / 26)};
const Client stranger{Standing::stranger, {}};
const Client trusted{Standing::trusted, {}};
const Client ann{Standing::user, "ann@send.example"};

alias::DomainInput input(std::string domain, std::string aliases, Role role) {
  alias::DomainInput made{std::move(domain), {"ann"}, true, std::move(aliases), "aliases"};
  made.settings.role = role;
  return made;
}

const Domains& domains() {
  static const Domains made = [] {
    Domains all;
    const std::array inputs{
        input("own.example",
              "out: me@gmail.example\nboth: ann, me@gmail.example\ndesk: | /usr/bin/desk\n"
              "old: :reject: Old has left\n/x(.*)/: \\1\nround: far, ann\nfar: ann@send.example\n"
              "*: me@gmail.example\n",
              Role::receive),
        input("send.example", "help: ann\n", Role::send),
        input("backup.example", "", Role::backup_mx),
        input("forward.example", "info: me@gmail.example\n", Role::send_forward)};
    for (const auto& each : inputs) {
      std::vector<account::UserRecord> users;
      users.push_back({.address = address("ann@" + each.domain)});
      all.directory.add_domain(each.domain, std::move(users), each.settings);
    }
    all.aliases = alias::build_alias_table(inputs).table;
    all.srs.emplace(forward::SrsKeys{"a key of sixteen", ""});
    return all;
  }();
  return made;
}

// "a@b via alias@c, d@e", or the refusal, "550 5.1.1".
std::string placed(const Client& client,
                   std::string_view to,
                   const Passage& passage = {address("x@far.example"), now}) {
  const auto result = place_recipient(domains(), client, passage, {.address = address(to)});
  if (!result) return smtp::one_line(result.error()).substr(0, 9);
  std::vector<std::string> all;
  for (const auto& [recipient, kind, via_alias] : *result) {
    auto text = recipient.address.text();
    if (via_alias) text += " via " + via_alias->text();
    if (kind == alias::Target::Kind::handed) text += " to " + recipient.handover.arguments.at(0);
    all.push_back(std::move(text));
  }
  return fmt::format("{}", fmt::join(all, ", "));
}

TEST(PlaceRecipient, follows_aliases_that_lead_out_and_the_roles_of_domains) {
  struct Case {
    const char* name;
    std::string_view to;
    std::string_view stranger, user;
  };
  const Case cases[] = {
      {"a forward",
       "out@own.example",
       "me@gmail.example via out@own.example",
       "me@gmail.example via out@own.example"},
      {"a copy and a forward",
       "both@own.example",
       "ann@own.example, me@gmail.example via both@own.example",
       "ann@own.example, me@gmail.example via both@own.example"},
      {"a program",
       "desk+1@own.example",
       "desk+1@own.example to /usr/bin/desk",
       "desk+1@own.example to /usr/bin/desk"},
      {"a rejection", "old@own.example", "550 5.2.1", "550 5.2.1"},
      {"a catch-all that leads out",
       "any@own.example",
       "me@gmail.example via any@own.example",
       "me@gmail.example via any@own.example"},
      {"from an alias to a domain whose MX is elsewhere",
       "far@own.example",
       "ann@send.example via far@own.example",
       "ann@send.example via far@own.example"},
      {"a domain whose MX is elsewhere", "ann@send.example", "550 5.7.1", "ann@send.example"},
      {"and nobody there", "nobody@send.example", "550 5.7.1", "nobody@send.example"},
      {"its postmaster",
       "postmaster@send.example",
       "postmaster@send.example",
       "postmaster@send.example"},
      {"a domain kept for a better MX", "x@backup.example", "x@backup.example", "x@backup.example"},
      {"a user without a mailbox", "ann@forward.example", "550 5.1.1", "550 5.1.1"},
      {"no domain of ours", "x@gmail.example", "550 5.7.1", "x@gmail.example"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(placed(stranger, c.to), c.stranger);
    EXPECT_EQ(placed(trusted, c.to), c.user);
    EXPECT_EQ(placed(ann, c.to), c.user);
  }
}

TEST(PlaceRecipient, says_what_a_rejecting_alias_says) {
  const auto refused =
      place_recipient(domains(), stranger, {}, {.address = address("old@own.example")});
  ASSERT_FALSE(refused);
  EXPECT_EQ(smtp::one_line(refused.error()), "550 5.2.1 Old has left");
}

TEST(PlaceRecipient, tells_the_address_that_was_asked_for_when_an_alias_replaced_it) {
  const auto forwarded =
      place_recipient(domains(), stranger, {}, {.address = address("out@own.example")}).value();
  EXPECT_EQ(forwarded.at(0).recipient.original, "rfc822;out@own.example");
  const auto handed =
      place_recipient(domains(), stranger, {}, {.address = address("desk@own.example")}).value();
  EXPECT_EQ(handed.at(0).recipient.original, "");
  EXPECT_EQ(handed.at(0).recipient.handover.kind, mail::Handover::Kind::program);
}

std::string rewritten(std::string_view sender, std::string_view domain, WallTime when = now) {
  return domains().srs->forward(address(sender), domain, when).value().text();
}

TEST(PlaceRecipient, gives_bounces_to_the_sender_behind_a_rewritten_address) {
  const Passage bounce{{}, now};
  EXPECT_EQ(placed(stranger, rewritten("u@far.example", "own.example"), bounce), "u@far.example");
  EXPECT_EQ(placed(ann, rewritten("u@far.example", "send.example"), bounce), "u@far.example");
  EXPECT_EQ(placed(stranger, rewritten("u@far.example", "backup.example"), bounce),
            "u@far.example");
  EXPECT_EQ(placed(stranger, rewritten("ann@own.example", "own.example"), bounce),
            "ann@own.example");
  EXPECT_EQ(placed(stranger, rewritten("out@own.example", "own.example"), bounce),
            "me@gmail.example via out@own.example");
  // Back from a server that passed our rewritten address on.
  const auto twice = rewritten(rewritten("u@x.ee", "own.example"), "send.example");
  EXPECT_EQ(placed(stranger, twice, bounce), "u@x.ee");
}

TEST(PlaceRecipient, gives_bounces_to_a_sender_that_is_kept) {
  MemoryRecords records;
  const ReturnPaths paths(records);
  const auto name = QueueId::make(now, 7);
  const auto path = domains().srs->forward_kept(name, "own.example", now).value().text();
  const Passage bounce{{}, now, &paths};
  EXPECT_EQ(placed(stranger, path, bounce), "550 5.7.1");  // whose record is gone
  records.records[name.text()] = "bounces+12345-of-a-newsletter@far.example";
  EXPECT_EQ(placed(stranger, path, bounce), "bounces+12345-of-a-newsletter@far.example");
  EXPECT_EQ(placed(stranger, path, {{}, now + std::chrono::days(22), &paths}), "550 5.7.1");
  EXPECT_EQ(placed(stranger, path, {address("x@far.example"), now, &paths}), "550 5.7.1");
  EXPECT_EQ(placed(stranger, path, {{}, now}), "550 5.7.1");  // where no server runs
  records.error = Error{Code::internal, "the disk failed"};
  EXPECT_EQ(placed(stranger, path, bounce), "451 4.3.0");
}

TEST(PlaceRecipient, never_relays_by_an_address_that_looks_rewritten) {
  const Passage bounce{{}, now};
  const Passage mail{address("x@far.example"), now};
  const auto good = rewritten("u@far.example", "own.example");
  auto forged = good;
  forged[6] = forged[6] == 'A' ? 'B' : 'A';
  struct Case {
    const char* name;
    std::string to;
    Passage passage;
  };
  const Case cases[] = {
      {"not a bounce", good, mail},
      {"forged", forged, bounce},
      {"forged, and the catch-all would take it", "SRS0=AAAA=AA=far.example=u@own.example", bounce},
      {"without a key", "SRS1=x=far.example==A=B=c.example=u@own.example", bounce},
      {"expired", rewritten("u@far.example", "own.example", now - std::chrono::days(22)), bounce},
      {"made for another domain of ours",
       good.substr(0, good.rfind('@')) + "@send.example",
       bounce},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    for (const auto& client : {stranger, trusted, ann})
      EXPECT_EQ(placed(client, c.to, c.passage), "550 5.7.1");
  }
  // At a domain that is not ours it is an address like any other.
  EXPECT_EQ(placed(stranger, "SRS0=A=B=c.example=u@far.example", bounce), "550 5.7.1");
  EXPECT_EQ(placed(ann, "SRS0=A=B=c.example=u@far.example", mail),
            "SRS0=A=B=c.example=u@far.example");
}

TEST(CheckSender, lets_a_user_send_as_an_alias_whatever_the_role) {
  EXPECT_FALSE(check_sender(domains(), ann, address("help@send.example")));
  EXPECT_FALSE(check_sender(domains(), ann, address("ann@send.example")));
  EXPECT_TRUE(check_sender(domains(), ann, address("both@own.example")));
}

}  // namespace
}  // namespace tapal::intake

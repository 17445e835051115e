#include "services/upkeep/certificate_keeper.h"

#include <gtest/gtest.h>

#include "services/upkeep/test_certificates.h"
#include "values/crypto/hash.h"
#include "values/dns/rdata_fields.h"
#include "values/text/date.h"

namespace tapal::upkeep {
namespace {

using acme::ChallengeKind;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

struct CertificateKeeperTest : testing::Test, OrderTestWorld {
  RecordingLog log;
  InlineWorkers workers;
  FakePrograms programs;
  MemoryCertificates files;
  MemoryNote warned;
  std::vector<std::string> told;
  std::size_t taken_in = 0;
  DnsAccount* account = nullptr;
  KeeperOptions options{.directory_url = "https://ca.example/directory",
                        .names = {"mail.example.org", "mta-sts.example.org"},
                        .kinds = {ChallengeKind::http_01}};
  std::unique_ptr<CertificateKeeper> keeper;
  TaskGroup group;

  void SetUp() override {
    files.next_keys["mail.example.org"] = key.to_pem();  // what the authority certifies
  }
  void TearDown() override {
    if (!keeper) return;
    keeper->stop();
    loop.run_for(minutes(1));
    EXPECT_EQ(group.running(), 0U);
  }
  CertificateKeeper& make() {
    KeeperWorld world{order_world(), log, workers, programs, files, {}, {}, {}, {}};
    world.take_in = [this]() -> Result<void> {
      ++taken_in;
      return {};
    };
    world.hooks = [](const std::string& folder) {
      ProgramRun run;
      run.arguments = {"/etc/tapal/reload.d/nginx", folder};
      return std::vector<ProgramRun>{run};
    };
    world.tell = [this](std::vector<std::string> names, ExpiryLetter letter) -> Task<void> {
      told.push_back(names.front() + ": " + letter.subject);
      co_return;
    };
    world.warned = &warned;
    world.account = [this](std::string_view) { return account; };
    keeper = std::make_unique<CertificateKeeper>(std::move(world), options);
    return *keeper;
  }
  void start() { group.spawn(make().run()); }
  CertificateNote note() {
    return read_certificate_note(files.sets.at("mail.example.org").note).value();
  }
  std::size_t orders() { return authority.seen_at("/new-order").size(); }
};

TEST_F(CertificateKeeperTest, gets_what_the_settings_want_and_renews_it_in_time) {
  start();
  loop.run_for(minutes(1));
  ASSERT_EQ(files.puts, 1U);
  EXPECT_EQ(taken_in, 1U);
  EXPECT_EQ(note().names, options.names);
  ASSERT_EQ(programs.runs.size(), 1U);
  EXPECT_EQ(programs.runs[0].arguments,
            (std::vector<std::string>{"/etc/tapal/reload.d/nginx", "mail.example.org"}));
  const auto& set = files.sets.at("mail.example.org");
  EXPECT_EQ(set.key_pem, key.to_pem());
  EXPECT_NE(set.next_key_pem, set.key_pem);
  ASSERT_EQ(files.accounts.size(), 1U);
  EXPECT_EQ(files.accounts.begin()->first, "ca-ca.example-directory");
  EXPECT_TRUE(files.accounts.begin()->second.note.contains("https://ca.example/account/1"));

  loop.run_for(days(59));
  EXPECT_EQ(files.puts, 1U);
  loop.run_for(days(2));
  EXPECT_EQ(files.puts, 2U);
  EXPECT_EQ(authority.seen_at("/new-account").size(), 1U);
}

TEST_F(CertificateKeeperTest, does_not_ask_about_what_has_no_identifier) {
  authority.more_in_directory = R"(,"renewalInfo":"https://ca.example/renewal")";
  std::size_t asked = 0;
  http.before_answer = [&asked](const HttpRequest& request) {
    if (request.url.starts_with("https://ca.example/renewal")) ++asked;
  };
  start();
  loop.run_for(days(9));
  EXPECT_EQ(note().renewal_info_url, "https://ca.example/renewal");
  EXPECT_EQ(asked, 0U);  // the test's authority signs with the certificate's own key
  EXPECT_EQ(orders(), 1U);
}

TEST_F(CertificateKeeperTest, waits_longer_after_each_failure) {
  authority.is_refusing = true;
  start();
  loop.run_for(minutes(30));
  EXPECT_EQ(orders(), 1U);
  loop.run_for(hours(1));
  EXPECT_EQ(orders(), 2U);
  loop.run_for(hours(24));
  EXPECT_EQ(orders(), 5U);  // after 1, 3, 7 and 15 hours
  EXPECT_EQ(log.count("a certificate was not issued"), 5U);
  authority.is_refusing = false;
  loop.run_for(hours(24));
  EXPECT_EQ(files.puts, 1U);
}

TEST_F(CertificateKeeperTest, does_not_ask_again_and_again_where_the_disk_is_full) {
  files.is_full = true;
  start();
  loop.run_for(hours(24));
  EXPECT_LE(orders(), 5U);
  EXPECT_GE(orders(), 4U);
}

TEST_F(CertificateKeeperTest, remembers_failures_over_a_restart) {
  start();
  loop.run_for(days(59));
  authority.is_refusing = true;
  loop.run_for(days(2));
  ASSERT_TRUE(note().failure);
  EXPECT_TRUE(note().failure->what.contains("the authority cannot reach this machine"));
  const auto before = orders();
  keeper->stop();
  loop.run_for(minutes(1));
  start();
  loop.run_for(minutes(5));
  EXPECT_EQ(orders(), before);
}

TEST_F(CertificateKeeperTest, remembers_a_first_order_that_failed_over_a_restart) {
  authority.is_refusing = true;
  start();
  loop.run_for(minutes(5));
  ASSERT_EQ(orders(), 1U);
  EXPECT_TRUE(files.sets.at("mail.example.org").chain_pem.empty());
  for (int restarts = 0; restarts < 3; ++restarts) {
    keeper->stop();
    loop.run_for(minutes(1));
    start();
    loop.run_for(minutes(5));
  }
  EXPECT_EQ(orders(), 1U);
  authority.is_refusing = false;
  loop.run_for(hours(1));
  EXPECT_EQ(orders(), 2U);
  EXPECT_FALSE(files.sets.at("mail.example.org").chain_pem.empty());
  EXPECT_FALSE(note().failure);
}

TEST_F(CertificateKeeperTest, orders_at_once_when_other_names_are_wanted) {
  authority.is_refusing = true;
  start();
  loop.run_for(minutes(5));
  keeper->stop();
  loop.run_for(minutes(1));
  options.names = {"mail.example.org"};
  start();
  loop.run_for(minutes(5));
  EXPECT_EQ(orders(), 2U);
}

struct PinnedKeyTest : CertificateKeeperTest {
  static constexpr const char* place = "_25._tcp.mail.example.org";

  void pin(const crypto::PrivateKey& pinned, std::uint8_t usage = 3) {
    const std::string digest(crypto::bytes_of(crypto::sha256(pinned.public_key_der())));
    names.add(place, dns::Type::tlsa, dns::to_data(dns::Association{usage, 1, 1, digest}));
  }
  // Has one, and its next key announced; gives that.
  crypto::PrivateKey issued() {
    options.names = {"mail.example.org"};
    start();
    loop.run_for(minutes(5));
    EXPECT_EQ(files.puts, 1U);
    const auto next = files.sets.at("mail.example.org").next_key_pem;
    files.next_keys["mail.example.org"] = next;
    return crypto::PrivateKey::from_pem(next).value();
  }
  std::string key_in_use() { return files.sets.at("mail.example.org").key_pem; }
};

TEST_F(PinnedKeyTest, stays_until_dns_shows_the_next_one) {
  const auto next = issued();
  pin(key);
  EXPECT_TRUE(loop.wait(keeper->renew("mail.example.org"))->has_value());
  EXPECT_EQ(key_in_use(), key.to_pem());
  EXPECT_EQ(files.sets.at("mail.example.org").next_key_pem, next.to_pem());
  EXPECT_EQ(log.count("a certificate keeps its key: DNS does not show the next one"), 1U);

  pin(next);
  authority.key = &next;
  EXPECT_TRUE(loop.wait(keeper->renew("mail.example.org"))->has_value());
  EXPECT_EQ(key_in_use(), next.to_pem());
  EXPECT_NE(files.sets.at("mail.example.org").next_key_pem, next.to_pem());
}

TEST_F(PinnedKeyTest, is_of_no_matter_where_an_authority_is_pinned) {
  const auto next = issued();
  pin(key);
  pin(key, 2);
  authority.key = &next;
  EXPECT_TRUE(loop.wait(keeper->renew("mail.example.org"))->has_value());
  EXPECT_EQ(key_in_use(), next.to_pem());
}

TEST_F(PinnedKeyTest, goes_where_its_owner_wants_a_fresh_one) {
  const auto next = issued();
  pin(key);
  // The authority certifies another key than the fresh one, which tells that it was a fresh one.
  const auto done = loop.wait(keeper->renew("mail.example.org", KeyChoice::fresh));
  ASSERT_TRUE(done);
  EXPECT_TRUE(done->error().what.contains("is for another key"));
  EXPECT_EQ(log.count("a certificate gets a key that DNS does not show yet"), 1U);
}

// Holds every zone; what is written is answered at once.
class PinnedZone final : public DnsAccount {
 public:
  explicit PinnedZone(TableOfNames& names, Loop& loop) : names_(names), loop_(loop) {}

  const DnsAccountLimits& limits() const override { return limits_; }
  Task<Result<std::string>> find_zone(Loop&, std::string) override {
    if (failure) co_return std::unexpected(*failure);
    co_return "example.org";
  }
  Task<Result<dns::RecordSet>> read(Loop&, std::string, std::string name, dns::Type type) override {
    const auto answer = co_await names_.resolve(loop_, name, type);
    dns::RecordSet set{.name = name, .type = type};
    for (const auto& record : answer->records) set.data.push_back(record.data);
    co_return set;
  }
  Task<Result<void>> write(Loop&, std::string, std::vector<dns::RecordSet> sets) override {
    ++writes;
    for (const auto& set : sets) {
      names_.set(set.name, set.type, {});
      for (const auto& data : set.data) names_.add(set.name, set.type, data);
    }
    co_return Result<void>();
  }

  std::optional<Error> failure;
  std::size_t writes = 0;

 private:
  TableOfNames& names_;
  Loop& loop_;
  DnsAccountLimits limits_;
};

struct WritablePinsTest : PinnedKeyTest {
  PinnedZone zone{names, loop};

  std::vector<dns::Data> pinned() {
    return loop.wait(zone.read(loop, "example.org", place, dns::Type::tlsa))->value().data;
  }
  static dns::Data pin_of(const crypto::PrivateKey& of) {
    const std::string digest(crypto::bytes_of(crypto::sha256(of.public_key_der())));
    return dns::to_data(dns::Association{3, 1, 1, digest});
  }
};

TEST_F(WritablePinsTest, show_the_next_key_in_time_and_lose_the_last_one) {
  account = &zone;
  const auto next = issued();
  loop.run_for(hours(2));
  EXPECT_EQ(zone.writes, 0U) << "nothing is pinned where nobody pinned";
  pin(key);
  loop.run_for(hours(2));
  EXPECT_EQ(pinned(), (std::vector{pin_of(key), pin_of(next)}));
  loop.run_for(hours(24));
  EXPECT_EQ(zone.writes, 1U);

  authority.key = &next;
  EXPECT_TRUE(loop.wait(keeper->renew("mail.example.org"))->has_value());
  EXPECT_EQ(key_in_use(), next.to_pem());
  const auto after = files.sets.at("mail.example.org").next_key_pem;
  files.next_keys["mail.example.org"] = after;
  loop.run_for(hours(2));
  const auto third = crypto::PrivateKey::from_pem(after).value();
  EXPECT_EQ(pinned(), (std::vector{pin_of(next), pin_of(third)}));
}

TEST_F(WritablePinsTest, are_left_alone_beside_an_authoritys) {
  account = &zone;
  issued();
  pin(key);
  pin(key, 2);
  loop.run_for(hours(2));
  EXPECT_EQ(zone.writes, 0U);
}

TEST_F(WritablePinsTest, are_told_of_when_the_account_fails) {
  account = &zone;
  zone.failure = Error{Code::denied, "test: no such token"};
  issued();
  pin(key);
  loop.run_for(hours(2));
  EXPECT_GE(log.count("TLSA records are not up to date"), 1U);
}

TEST_F(CertificateKeeperTest, leaves_certificates_of_others_alone_and_watches_them) {
  const auto theirs = crypto::PrivateKey::generate_ec_p256().value();
  const crypto::Validity validity{loop.wall_now() - days(60), loop.wall_now() + days(30)};
  const auto chain = crypto::make_self_signed({"mail.example.org"}, theirs, validity).value();
  files.sets["other.example.org"] = {chain, "", "", ""};
  options.names.clear();
  start();
  loop.run_for(days(8));
  EXPECT_EQ(log.count("a certificate is near its end"), 0U);
  loop.run_for(days(2));
  EXPECT_EQ(log.count("a certificate is near its end"), 1U);
  loop.run_for(days(7));
  EXPECT_EQ(log.count("a certificate is near its end"), 2U);
  loop.run_for(days(12));
  EXPECT_EQ(log.count("a certificate is near its end"), 3U);
  EXPECT_EQ(told,
            (std::vector<std::string>{
                "mail.example.org: other.example.org: the certificate ends in 20 days",
                "mail.example.org: other.example.org: the certificate ends in 13 days",
                "mail.example.org: other.example.org: the certificate ends in 6 days"}));
  keeper->stop();
  loop.run_for(minutes(1));
  start();
  loop.run_for(minutes(1));
  EXPECT_EQ(log.count("a certificate is near its end"), 3U);
  EXPECT_EQ(orders(), 0U);
  EXPECT_EQ(files.sets.at("other.example.org").chain_pem, chain);
}

TEST_F(CertificateKeeperTest, issues_what_is_asked_for_one_at_a_time) {
  options.names.clear();
  auto& it = make();
  CertificateWish wish;
  wish.names = {"mail.example.org"};
  std::optional<Result<std::string>> first;
  const auto run = [](Task<Result<std::string>> task,
                      std::optional<Result<std::string>>& into) -> Task<void> {
    into.emplace(co_await task);
  };
  group.spawn(run(it.issue(wish), first));
  const auto second = loop.wait(it.issue(wish));
  EXPECT_EQ(second->error().code, Code::full);
  loop.run_for(minutes(1));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->value(), "mail.example.org");
  EXPECT_EQ(loop.wait(it.renew("mail.example.org"))->value(), "mail.example.org");
  EXPECT_EQ(files.puts, 2U);
  EXPECT_EQ(loop.wait(it.renew("absent.example.org"))->error().code, Code::not_found);
}

TEST_F(CertificateKeeperTest, ends_an_order_under_way_when_it_is_stopped) {
  authority.polls_until_valid = 1'000'000;
  start();
  loop.run_for(minutes(1));
  keeper->stop();
  loop.run_for(minutes(1));
  EXPECT_EQ(group.running(), 0U);
  EXPECT_EQ(log.count("a certificate was not issued"), 0U);
}

TEST(CertificateNote, survives_being_written_and_read) {
  CertificateNote note{"https://ca.example/directory",
                       {"a.example", "*.a.example"},
                       "shortlived",
                       "https://ca.example/renewal",
                       {},
                       {},
                       {},
                       "ISRG Root X1"};
  const WallTime now{days(20'819)};
  note.suggestion =
      CertificateNote::Suggestion{{now, now + hours(2), "https://ca.example/why"}, now + hours(6)};
  note.renewed_early = now;
  note.failure = CertificateNote::Failure{3, "no \"good\"", now, now + hours(4)};
  const auto read = read_certificate_note(note.to_json());
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->to_json(), note.to_json());
  for (const auto* text : {"", "{}", "[]", R"({"directory":"x"})", R"({"names":["a"]})"})
    EXPECT_FALSE(read_certificate_note(text)) << text;
}

TEST(RenewalDue, is_the_authoritys_moment_unless_that_is_too_late) {
  const WallTime start(days(20'000));
  crypto::CertificateFacts facts;
  facts.validity = {start, start + days(90)};
  CertificateNote note;
  EXPECT_EQ(renewal_due(note, facts), start + days(60));
  note.suggestion = CertificateNote::Suggestion{{start + days(10), start + days(12), {}}, start};
  EXPECT_EQ(renewal_due(note, facts), start + days(10));
  note.suggestion->window = {start + days(80), start + days(100), {}};
  EXPECT_EQ(renewal_due(note, facts), start + days(60));
  note.suggestion->window = {start + days(1), start + days(2), {}};
  note.renewed_early = start + days(2);
  EXPECT_EQ(renewal_due(note, facts), start + days(2) + hours(6));
  note.suggestion.reset();
  EXPECT_EQ(renewal_due(note, facts), start + days(60));
  note.failure = CertificateNote::Failure{1, "", start + days(60), start + days(61)};
  EXPECT_EQ(renewal_due(note, facts), start + days(61));
}

TEST(FailureAfter, respects_a_longer_pause_of_the_authority) {
  const WallTime now(days(20'000));
  acme::Problem problem = acme::local_problem("no");
  EXPECT_EQ(failure_after({}, problem, now).next_try, now + hours(1));
  problem.retry_after = days(3);
  EXPECT_EQ(failure_after({}, problem, now).next_try, now + days(3));
  CertificateNote::Failure many{1'000'000, "", now, now};
  problem.retry_after.reset();
  EXPECT_EQ(failure_after(many, problem, now).next_try, now + days(1));
}

TEST(FolderName, is_a_name_without_its_star) {
  EXPECT_EQ(folder_name({"*.example.org", "example.org"}), "example.org");
  EXPECT_EQ(folder_name({}), "");
  EXPECT_EQ(account_name("https://acme-v02.api.letsencrypt.org/directory"),
            "ca-acme-v02.api.letsencrypt.org-directory");
  EXPECT_EQ(account_name("https://ca.example:14000/../../x/"), "ca-ca.example-14000-..-..-x");
}

}  // namespace
}  // namespace tapal::upkeep

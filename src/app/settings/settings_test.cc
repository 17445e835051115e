#include "app/settings/settings.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include <gtest/gtest.h>

#include "app/settings/table.h"
#include "drivers/files/scratch_folder.h"
#include "values/text/ascii.h"

namespace tapal::app {
namespace {

namespace fs = std::filesystem;
using files::ScratchFolder;

Settings parse(std::string_view text) {
  auto parsed = parse_settings(text, "tapal.toml");
  EXPECT_EQ(parsed.problems, std::vector<std::string>());
  return std::move(parsed.settings);
}

std::string read_source(const fs::path& path) {
  return ScratchFolder::read(fs::path(TAPAL_SOURCE_FOLDER) / path);
}

std::map<std::string, std::string> printed(Settings settings) {
  std::map<std::string, std::string> values;
  for (const SettingRow& row : setting_rows())
    values[std::string(row.name)] = row.binding.print(settings);
  return values;
}

TEST(Settings, hold_their_defaults_when_the_file_is_empty) {
  const Settings settings = parse("");
  EXPECT_EQ(settings.limits.message_bytes, 50'000'000u);
  EXPECT_EQ(settings.listen.smtp.at(1).text(), "[::]:25");
  EXPECT_EQ(settings.queue.retry.give_up, std::chrono::days(5));
  EXPECT_EQ(settings.dkim_expiry(), std::chrono::days(7));
  EXPECT_EQ(settings.resolver.mode, ResolverOptions::Mode::system);
  EXPECT_EQ(settings.control_socket(), "/var/lib/tapal/control.sock");
  EXPECT_EQ(settings.mail_folder(), "/var/lib/tapal/mail");
  EXPECT_EQ(settings.spool.folder, "/var/lib/tapal/spool");
  EXPECT_EQ(settings.certificates_folder("/etc/tapal"), "/etc/tapal/certs");
}

TEST(Settings, take_every_kind_of_value) {
  const Settings settings = parse(R"(
hostname = "Mail.Bücher.example"
state_folder = "/srv/tapal"
listen.smtp = ["127.0.0.1:0", "[::1]:2525"]
listen.submissions = []
relay.trusted_networks = ["10.0.0.0/8", "fd00::/8", "192.0.2.1"]
tls = { minimum_version = "1.3", tickets = false }
[limits]
message_bytes = "10MiB"
header_bytes = 65536
idle = "1m30s"
connections_max = 20
[queue]
retry = ["1s", "2s"]
jitter = 0
[delivery]
port = 2525
tls = "required"
address_family = "ipv6"
source_ipv6 = "::1"
[delivery.timeouts]
connect = "5s"
final_dot = "20m"
[resolver]
servers = ["127.0.0.1:5353"]
timeout = "250ms"
trust_anchor_file = ""
[log]
format = "json"
level = "debug"
[auth]
cache_lifetime = "0"
password_memory = "8KiB"
)");
  EXPECT_EQ(settings.hostname, "mail.xn--bcher-kva.example");
  EXPECT_EQ(settings.spool.folder, "/srv/tapal/spool");
  EXPECT_EQ(settings.listen.smtp.at(0).port, 0);
  EXPECT_EQ(settings.listen.smtp.at(1).text(), "[::1]:2525");
  EXPECT_TRUE(settings.listen.submissions.empty());
  EXPECT_EQ(settings.listen.submission.size(), 2u);
  EXPECT_EQ(settings.relay.trusted_networks.size(), 3u);
  EXPECT_EQ(settings.tls.minimum_version, TlsVersion::tls_1_3);
  EXPECT_FALSE(settings.tls.tickets);
  EXPECT_EQ(settings.limits.message_bytes, 10u << 20U);
  EXPECT_EQ(settings.limits.header_bytes, 65536u);
  EXPECT_EQ(settings.limits.idle, std::chrono::seconds(90));
  EXPECT_EQ(settings.connections.all_max, 20u);
  EXPECT_EQ(settings.queue.retry.intervals,
            (std::vector{std::chrono::seconds(1), std::chrono::seconds(2)}));
  EXPECT_EQ(settings.queue.retry.jitter_fraction, 0.0);
  EXPECT_EQ(settings.delivery.port, 2525);
  EXPECT_EQ(settings.delivery.tls, delivery::TlsMode::required);
  EXPECT_EQ(settings.delivery.family, delivery::AddressFamily::ipv6);
  ASSERT_TRUE(settings.delivery.source_ipv6);
  EXPECT_EQ(settings.delivery.source_ipv6->text(), "::1");
  EXPECT_EQ(settings.delivery.connect_timeout, std::chrono::seconds(5));
  EXPECT_EQ(settings.delivery_timeouts.final, std::chrono::minutes(20));
  EXPECT_EQ(settings.resolver.mode, ResolverOptions::Mode::forward);
  EXPECT_EQ(settings.resolver.question_timeout, std::chrono::milliseconds(250));
  EXPECT_EQ(settings.resolver.trust_anchor_file, "");
  EXPECT_EQ(settings.log.format, LogFormat::json);
  EXPECT_EQ(settings.log.level, Level::debug);
  EXPECT_EQ(settings.auth.cache.lifetime, Duration::zero());
  EXPECT_EQ(settings.auth.password_cost.memory_kib, 8u);
}

TEST(Settings, let_a_refused_message_of_the_largest_size_be_read_to_its_end) {
  EXPECT_EQ(parse("").limits.discarded_bytes, 100'000'000u);
  EXPECT_EQ(parse("limits.message_bytes = \"1GB\"").limits.discarded_bytes, 2'000'000'000u);
}

TEST(Settings, prefer_recursion_to_servers) {
  const Settings settings = parse("[resolver]\nrecursion = true\nservers = [\"127.0.0.1:53\"]\n");
  EXPECT_EQ(settings.resolver.mode, ResolverOptions::Mode::recursion);
}

TEST(Settings, take_routes_as_texts_and_as_tables) {
  const Settings settings = parse(R"(
[routes]
"Partner.example" = "mx.partner.example:2525"
"v6.example" = "[2001:db8::1]:26"
"bare6.example" = "2001:db8::2"
"v4.example" = "192.0.2.1"
"*.Bücher.example" = "host.example"
"lmtp.example" = { host = "127.0.0.1", protocol = "lmtp" }
[routes."*"]
host = "[2001:db8::3]"
tls = "implicit"
user = "me"
password_file = "secret"
)");
  struct Case {
    std::string_view key, host;
    std::uint16_t port;
  };
  const Case cases[] = {
      {"partner.example", "mx.partner.example", 2525},
      {"v6.example", "2001:db8::1", 26},
      {"bare6.example", "2001:db8::2", 25},
      {"v4.example", "192.0.2.1", 25},
      {"*.xn--bcher-kva.example", "host.example", 25},
      {"lmtp.example", "127.0.0.1", 24},
      {"*", "2001:db8::3", 465},
  };
  EXPECT_EQ(settings.delivery.routes.size(), std::size(cases));
  for (const auto& [key, host, port] : cases) {
    SCOPED_TRACE(key);
    const auto route = settings.delivery.routes.find(key);
    ASSERT_NE(route, settings.delivery.routes.end());
    EXPECT_EQ(route->second.host, host);
    EXPECT_EQ(route->second.port, port);
  }
  EXPECT_EQ(settings.delivery.routes.at("*").user, "me");
  EXPECT_EQ(settings.route_password_files.at("*"), "secret");
}

TEST(Settings, read_sources_and_pools) {
  const Settings settings = parse(R"(
[sources.second]
ipv6 = "2001:db8::2"
[sources.first]
ipv4 = "192.0.2.1"
ehlo_name = "Out1.Example.org"
weight = 3
new_since = "2026-11-22"
[pools.news]
sources = ["second", "first"]
domains = ["News.Bücher.example"]
users = ["Shop@example.org"]
[sending]
pool = "news"
reverse_dns_required = false
warm_up = false
)");
  const auto& sources = settings.delivery.sources;
  ASSERT_EQ(sources.sources.size(), 2u);
  const auto& first = sources.sources[0];
  EXPECT_EQ(first.name, "first");
  EXPECT_EQ(first.ipv4, IpAddress::from_text("192.0.2.1"));
  EXPECT_FALSE(first.has_ipv6());
  EXPECT_EQ(first.ehlo_name, "out1.example.org");
  EXPECT_EQ(first.weight, 3u);
  EXPECT_EQ(first.new_since, WallTime(std::chrono::days(20'779)));
  ASSERT_EQ(sources.pools.size(), 1u);
  EXPECT_EQ(sources.pools[0].sources, (std::vector<std::string>{"second", "first"}));
  EXPECT_EQ(sources.pools[0].domains, std::vector<std::string>{"news.xn--bcher-kva.example"});
  EXPECT_EQ(sources.pools[0].users, std::vector<std::string>{"shop@example.org"});
  EXPECT_EQ(sources.pool, "news");
  EXPECT_FALSE(settings.delivery.reverse_dns_required);
  EXPECT_FALSE(sources.warm_up.automatic);
  EXPECT_EQ(parse("").delivery.sources, shaping::SourceOptions());
}

// Each folder: a wrong tapal.toml and the whole of what people are told.
TEST(Settings, tell_what_is_wrong_with_every_bad_file) {
  std::size_t cases = 0;
  for (const auto& entry :
       fs::directory_iterator(fs::path(TAPAL_SOURCE_FOLDER) / "tests" / "bad_settings")) {
    SCOPED_TRACE(entry.path().filename().string());
    const auto parsed =
        parse_settings(ScratchFolder::read(entry.path() / "tapal.toml"), "tapal.toml");
    std::string told;
    for (const std::string& problem : parsed.problems) {
      // What follows is the TOML library's own text, which changes with its version.
      constexpr std::string_view ours = "this is not TOML: ";
      const std::size_t end = problem.find(ours);
      told += end == problem.npos ? problem : problem.substr(0, end + ours.size()) + "...";
      told += '\n';
    }
    EXPECT_FALSE(told.empty());
    if (std::getenv("TAPAL_UPDATE_GOLDEN")) std::ofstream(entry.path() / "expected.txt") << told;
    EXPECT_EQ(told, ScratchFolder::read(entry.path() / "expected.txt"));
    ++cases;
  }
  EXPECT_GE(cases, 20u);
}

TEST(Settings, tell_a_bounded_number_of_problems) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "x" + std::to_string(i) + " = 1\n";
  EXPECT_EQ(parse_settings(text, "f").problems.size(), settings_problems_max);
}

TEST(SettingsTable, has_distinct_names_and_a_help_sentence_each) {
  std::set<std::string_view> names;
  for (const SettingRow& row : setting_rows()) {
    SCOPED_TRACE(row.name);
    EXPECT_TRUE(names.insert(row.name).second);
    EXPECT_TRUE(row.help.ends_with('.'));
    EXPECT_FALSE(row.help.contains('|'));
    EXPECT_EQ(find_setting(row.name), &row);
    EXPECT_TRUE(row.default_text.empty() || !row.example.empty());
  }
}

TEST(SettingsTable, prints_defaults_that_read_back_as_themselves) {
  const auto defaults = printed({});
  std::string text;
  for (const auto& [name, value] : defaults)
    if (!value.empty() && value != "\"\"") text += name + " = " + value + "\n";
  EXPECT_EQ(printed(parse(text)), defaults);
}

TEST(SettingsTable, takes_its_bounds_and_refuses_what_lies_beyond) {
  for (const SettingRow& row : setting_rows()) {
    const auto [least, most] = row.bounds;
    if (least == most || row.binding.kind == "share") continue;
    SCOPED_TRACE(row.name);
    Settings settings;
    const bool is_list = row.binding.print(settings).starts_with('[');
    const auto problems = [&](std::int64_t bound) {
      const std::string value = row.binding.print_bound(bound);
      const std::string text =
          std::string(row.name) + " = " + (is_list ? "[" + value + "]" : value) + "\n";
      return parse_settings(text, "f").problems;
    };
    EXPECT_EQ(problems(least), std::vector<std::string>());
    EXPECT_EQ(problems(most), std::vector<std::string>());
    EXPECT_EQ(problems(most + 1024 * 1000).size(), 1u);
    if (least > 0) EXPECT_EQ(problems(least - 1).size(), 1u);
  }
}

TEST(SampleSettings, can_be_read_as_they_are_and_with_every_line_uncommented) {
  const std::string sample = sample_settings("mail.example.org");
  auto settings = parse(sample);
  EXPECT_EQ(settings.hostname, "mail.example.org");
  settings.hostname.clear();
  EXPECT_EQ(printed(settings), printed({}));

  std::string uncommented;
  std::size_t values = 0;
  for (const std::string_view line : text::split(sample, '\n')) {
    const bool is_value = line.starts_with("# ") && line.contains(" = ") && !line.ends_with('.') &&
                          !line.contains("Mail that");
    values += is_value ? 1 : 0;
    uncommented += line.substr(is_value || line.starts_with("# [") ? 2 : 0);
    uncommented += '\n';
  }
  EXPECT_GE(values, setting_rows().size() - 1);
  const auto all = parse(uncommented);
  EXPECT_EQ(all.delivery.routes.size(), 1u);
  EXPECT_EQ(all.delivery.ehlo_name, "out.example.org");
}

TEST(SettingsReference, is_what_docs_settings_md_holds) {
  const std::string page = settings_reference_markdown();
  for (const SettingRow& row : setting_rows())
    EXPECT_TRUE(page.contains("| `" + std::string(row.name) + "` |")) << row.name;
  if (std::getenv("TAPAL_UPDATE_GOLDEN"))
    std::ofstream(fs::path(TAPAL_SOURCE_FOLDER) / "docs" / "settings.md") << page;
  EXPECT_TRUE(page == read_source("docs/settings.md")) << "write it anew with: ./dev docs";
}

TEST(LoadSettings, reads_password_files_and_makes_paths_absolute) {
  const ScratchFolder scratch;
  scratch.write("tapal.toml",
                "hostname = \"mail.example.org\"\nstate_folder = \"state\"\n"
                "[routes.\"*\"]\nhost = \"smtp.example.net\"\nuser = \"me\"\n"
                "password_file = \"secrets/smarthost\"\n");
  scratch.write("secrets/smarthost", "pass word\r\n");
  const auto settings = load_settings(scratch.path());
  ASSERT_TRUE(settings) << settings.error().what;
  EXPECT_EQ(settings->delivery.routes.at("*").password, "pass word");
  EXPECT_EQ(settings->state_folder, (scratch.path() / "state").string());
  EXPECT_EQ(settings->spool.folder, (scratch.path() / "state/spool").string());
}

TEST(LoadSettings, reads_the_webhook_s_key_where_there_is_one) {
  const ScratchFolder scratch;
  scratch.write("tapal.toml", "hostname = \"mail.example.org\"\n");
  EXPECT_EQ(load_settings(scratch.path())->delivery.webhook.key, "");
  scratch.write("webhook.key", "0123456789abcdef\n");
  EXPECT_EQ(load_settings(scratch.path())->delivery.webhook.key, "0123456789abcdef");
  scratch.write("webhook.key", "guess me\n");
  const auto weak = load_settings(scratch.path());
  ASSERT_FALSE(weak);
  EXPECT_TRUE(weak.error().what.contains("webhook.key: a key of fewer than 16 bytes"));
  scratch.write("tapal.toml",
                "hostname = \"mail.example.org\"\nwebhook.key_file = \"other.key\"\n");
  const auto missing = load_settings(scratch.path());
  ASSERT_FALSE(missing);
  EXPECT_TRUE(missing.error().what.contains("other.key: No such file")) << missing.error().what;
  scratch.write("other.key", "another key of good length");
  EXPECT_EQ(load_settings(scratch.path())->delivery.webhook.key, "another key of good length");
}

TEST(LoadSettings, tells_all_that_is_wrong_at_once) {
  const ScratchFolder scratch;
  scratch.write("tapal.toml",
                "hostname = \"mail.example.org\"\ncolour = 1\n"
                "[routes.\"a.example\"]\nhost = \"x.example\"\nuser = \"me\"\n"
                "password_file = \"none\"\n"
                "[routes.\"b.example\"]\nhost = \"x.example\"\nuser = \"me\"\n"
                "password_file = \"empty\"\n");
  scratch.write("empty", "\n");
  const auto settings = load_settings(scratch.path());
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().code, Code::invalid);
  for (const std::string_view part :
       {"tapal.toml:2:1: unknown setting colour", "none: No such file", "empty: the file is empty"})
    EXPECT_TRUE(settings.error().what.contains(part)) << settings.error().what;
}

TEST(LoadSettings, says_how_to_make_a_file_that_is_not_there) {
  const ScratchFolder scratch;
  const auto settings = load_settings(scratch.path());
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().code, Code::not_found);
  EXPECT_TRUE(settings.error().what.contains("`tapal init DOMAIN` makes one"));
}

TEST(ConfigFolderPath, comes_from_the_option_then_the_environment_then_etc) {
  const char* before = std::getenv("TAPAL_CONFIG");
  const std::string kept = before ? before : "";
  setenv("TAPAL_CONFIG", "/from/environment", 1);
  EXPECT_EQ(config_folder_path("/from/option"), "/from/option");
  EXPECT_EQ(config_folder_path(""), "/from/environment");
  unsetenv("TAPAL_CONFIG");
  EXPECT_EQ(config_folder_path(""), "/etc/tapal");
  if (before) setenv("TAPAL_CONFIG", kept.c_str(), 1);
}

TEST(Settings, name_the_changes_that_wait_for_a_restart) {
  const Settings running = parse("[listen]\nsmtp = []\n");
  const Settings loaded = parse(
      "[listen]\nsmtp = [\"127.0.0.1:25\"]\n[limits]\nerrors = 5\n[routes]\n\"*\" = "
      "\"[::1]:25\"\n");
  EXPECT_EQ(changes_that_need_restart(running, loaded),
            (std::vector<std::string>{"listen.smtp", "limits.errors", "[routes]"}));
  EXPECT_TRUE(changes_that_need_restart(running, running).empty());
}

}  // namespace
}  // namespace tapal::app

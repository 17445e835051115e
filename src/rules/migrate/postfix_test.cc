#include "rules/migrate/postfix.h"

#include <gtest/gtest.h>

#include "rules/migrate/test_tree.h"

namespace tapal::migrate {
namespace {

TestTree::Texts texts() {
  return {
      {"/etc/postfix/main.cf",
       "myhostname = mx.example.com\n"
       "myorigin = /etc/mailname\n"
       "mydestination = $myhostname, $mydomain, second.example, localhost.$mydomain, localhost\n"
       "virtual_alias_maps = hash:$config_directory/virtual, pcre:/etc/postfix/patterns\n"
       "virtual_mailbox_domains = boxes.example\n"
       "virtual_mailbox_maps = texthash:/etc/postfix/boxes\n"
       "alias_maps = proxy:hash:/etc/aliases\n"
       "mynetworks = 127.0.0.0/8 [::1]/128, 10.0.0.0/8 hash:/nets\n"
       "message_size_limit = 30720000\n"
       "recipient_delimiter = +\n"
       "relayhost = [smtp.relay.example]:587\n"
       "smtp_sasl_password_maps = hash:/etc/postfix/sasl_passwd\n"
       "smtpd_sasl_type = dovecot\n"
       "mailbox_command = /usr/bin/procmail\n"},
      {"/etc/postfix/master.cf",
       "# service type\n"
       "smtp      inet  n - y - - smtpd\n"
       "127.0.0.1:submission inet n - y - - smtpd\n  -o syslog_name=postfix/submission\n"
       "2525      inet  n - y - - smtpd\n"
       "pickup    unix  n - y 60 1 pickup\n"},
      {"/etc/mailname", "example.com\n"},
      {"/etc/postfix/virtual",
       "virtual.example     anything\n"
       "info@virtual.example ann, me@far.example\n"
       "@virtual.example     ann@localhost\n"
       "ann.lee              ann\n"
       "sales@example.com    ann@example.com bob\n"
       "x@unknown.example    ann\n"},
      {"/etc/postfix/boxes", "ann@boxes.example boxes/ann/\nbob@boxes.example boxes/bob/\n"},
      {"/etc/postfix/sasl_passwd",
       "# secret\n[smtp.relay.example]:587 account:pass:word\n[other] x:y\n"},
      {"/etc/aliases",
       "postmaster: root\nroot: ann\nlist: :include:/etc/list\n"
       "robot: \"|/usr/bin/robot -x\"\nshell: \"|cd /tmp; ls\"\nbox: /var/mail/box\n"
       "folder: /srv/mail/, \\folder\n\"odd name\": ann\n"},
      {"/etc/list", "# members\nann, far@far.example\n| /bin/sh\n"},
      {"/etc/dovecot/users", "ann@boxes.example:{SHA512-CRYPT}$1$no\nann:{PLAIN}open\n"},
      {"/etc/opendkim.conf", "KeyTable /etc/keys\nSigningTable refile:/etc/signing\n"},
      {"/etc/keys",
       "first example.com:mail:/k/mail.pem\nany %:all:/k/all.pem\nbad x\n"
       "far far.example:s:/k/mail.pem\n"},
      {"/etc/signing", "*@example.com first\n*@second.example any\n"},
      {"/k/mail.pem", "KEY ONE"},
      {"/k/all.pem", "KEY TWO"},
  };
}

Inventory read(const TestTree::Texts& files, std::string passwd_file = {}) {
  const TestTree tree(files);
  auto inventory = read_postfix(tree,
                                {.passwd_file = passwd_file,
                                 .passwd_text = tree.read(passwd_file).value_or(""),
                                 .system_hostname = "sys.example"});
  EXPECT_TRUE(inventory);
  return *std::move(inventory);
}

TEST(Postfix, gives_domains_and_who_gets_their_mail) {
  auto inventory = read(texts(), "/etc/dovecot/users");
  std::vector<std::string> domains;
  for (const auto& [name, domain] : inventory.domains) domains.push_back(name);
  EXPECT_EQ(domains,
            (std::vector<std::string>{
                "boxes.example", "example.com", "second.example", "virtual.example"}));
  auto& home = *inventory.find("example.com");
  EXPECT_EQ(home.settings.suffix_separators, "+");
  EXPECT_EQ(aliases_of(home),
            (std::vector<std::string>{"ann.lee -> ann",
                                      "sales -> ann, bob",
                                      "postmaster -> root",
                                      "root -> ann",
                                      "list -> ann, far@far.example",
                                      "robot -> | /usr/bin/robot -x",
                                      "folder -> :maildir: /srv/mail, folder",
                                      "odd name -> ann"}));
  EXPECT_EQ(aliases_of(*inventory.find("second.example")),
            std::vector<std::string>{"* -> *@example.com"});
  EXPECT_EQ(aliases_of(*inventory.find("virtual.example")),
            (std::vector<std::string>{"info -> ann@example.com, me@far.example",
                                      "* -> ann@example.com"}));
  ASSERT_EQ(home.users.size(), 1U);
  EXPECT_EQ(home.users[0].clear_password, "open");
  ASSERT_EQ(home.keys.size(), 1U);
  EXPECT_EQ(home.keys[0].selector, "mail");
  ASSERT_EQ(inventory.find("second.example")->keys.size(), 1U);
  EXPECT_EQ(inventory.find("second.example")->keys[0].pem, "KEY TWO");
}

TEST(Postfix, gives_settings_and_the_relay) {
  const auto inventory = read(texts());
  EXPECT_EQ(inventory.hostname, "mx.example.com");
  std::vector<std::string> settings;
  for (const auto& [name, value, place] : inventory.settings)
    settings.push_back(place + ": " + name + " = " + value);
  EXPECT_EQ(settings,
            (std::vector<std::string>{
                "main.cf:9: limits.message_bytes = 30720000",
                R"(main.cf:8: relay.trusted_networks = ["127.0.0.0/8", "::1/128", "10.0.0.0/8"])",
                R"(master.cf: listen.submission = ["127.0.0.1:587"])"}));
  ASSERT_TRUE(inventory.relay);
  EXPECT_EQ(inventory.relay->host, "smtp.relay.example:587");
  EXPECT_EQ(inventory.relay->user, "account");
  EXPECT_EQ(inventory.relay->password, "pass:word");
}

TEST(Postfix, tells_what_does_not_come_along) {
  const auto lines = left(read(texts(), "/etc/dovecot/users"));
  const std::vector<std::string_view> told{
      "main.cf:3: mail to mx.example.com itself is not taken",
      "main.cf:4: virtual_alias_maps: pcre is no table with a text file",
      "/etc/postfix/virtual:6: x@unknown.example belongs to no domain",
      "/etc/aliases:3: list: a list has addresses only here",
      "/etc/aliases:5: shell: there is no shell for programs here",
      "/etc/aliases:6: box: mail is not appended to files here",
      "/etc/dovecot/users:1: ann@boxes.example has a password hash of a kind",
      "/etc/postfix/boxes:2: bob@boxes.example has a mailbox and no password",
      "main.cf:8: mynetworks: hash:/nets is no network",
      "master.cf:5: a listener at 2525",
      "/etc/keys:3: this is no domain, selector and key file",
      "/etc/keys:4: a DKIM key of far.example",
      "main.cf:14: mailbox_command: ",
  };
  for (const auto& line : lines) EXPECT_FALSE(line.contains("pass:word")) << line;
  ASSERT_EQ(lines.size(), told.size());
  for (std::size_t i = 0; i < told.size(); ++i)
    EXPECT_TRUE(lines[i].starts_with(told[i])) << lines[i];
}

TEST(Postfix, takes_the_hosts_own_name_for_a_domain_where_it_stands_alone) {
  const auto inventory = read({{"/etc/postfix/main.cf", "smtpd_sasl_auth_enable = yes\n"},
                               {"/etc/aliases", "info: ann\n"}});
  ASSERT_EQ(inventory.domains.size(), 1U);
  EXPECT_EQ(inventory.domains.begin()->first, "sys.example");
  EXPECT_EQ(aliases_of(inventory.domains.begin()->second), std::vector<std::string>{"info -> ann"});
  const auto lines = left(inventory);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_TRUE(lines[0].contains("Cyrus SASL has the passwords")) << lines[0];
  EXPECT_TRUE(lines[1].starts_with("/etc/postfix/master.cf: ")) << lines[1];
}

TEST(Postfix, tells_a_name_that_is_no_domain) {
  const auto inventory = read({{"/etc/postfix/main.cf",
                                "mydestination = a.example, b..example, \xF9.example\n"
                                "virtual_alias_domains = -.example\n"},
                               {"/etc/postfix/master.cf", ""},
                               {"/etc/aliases", ""}});
  ASSERT_EQ(inventory.domains.size(), 1U);
  EXPECT_EQ(inventory.domains.begin()->first, "a.example");
  EXPECT_EQ(inventory.left_behind.size(), 3U);
}

TEST(Postfix, tells_who_keeps_the_mailboxes) {
  const struct {
    std::string_view settings, target;
    std::size_t left;  // with that of master.cf, which is missing
  } cases[] = {
      {"", "", 1},
      {"virtual_transport = virtual\n", "", 1},
      {"virtual_transport = lmtp:unix:private/dovecot-lmtp\n",
       ":lmtp: unix:/var/spool/postfix/private/dovecot-lmtp",
       1},
      {"mailbox_transport = lmtp:unix:/run/lmtp\n", ":lmtp: unix:/run/lmtp", 1},
      {"mailbox_transport = lmtp:inet:127.0.0.1:24\n", ":lmtp: 127.0.0.1:24", 1},
      {"virtual_transport = lmtp:unix:/a\nmailbox_transport = lmtp:unix:/b\n", ":lmtp: unix:/a", 2},
      {"virtual_transport = dovecot\n", "", 2},
  };
  for (const auto& [settings, target, left_count] : cases) {
    const auto inventory =
        read({{"/etc/postfix/main.cf", std::string(settings)}, {"/etc/aliases", ""}});
    EXPECT_EQ(inventory.mailbox_target, target) << settings;
    EXPECT_EQ(inventory.left_behind.size(), left_count) << settings;
  }
}

TEST(Postfix, needs_a_main_cf) {
  const auto none = read_postfix(TestTree({}), {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::not_found);
}

}  // namespace
}  // namespace tapal::migrate

#include "rules/shaping/providers.h"

#include <algorithm>

namespace tapal::shaping {
namespace {

using namespace std::chrono_literals;

ProviderTable table_with(std::string_view toml) {
  auto table = read_providers(toml, "providers.toml");
  EXPECT_TRUE(table) << (table ? "" : table.error().what);
  return table ? *std::move(table) : ProviderTable{};
}

TEST(Providers, that_ship_are_whole) {
  const ProviderTable table = table_with("");
  EXPECT_GE(table.all().size(), 60U);
  EXPECT_TRUE(std::ranges::is_sorted(table.all(), {}, &Provider::name));
  const auto check = [](const Provider& provider) {
    for (const ReplyRule& rule : provider.replies) EXPECT_FALSE(rule.note.empty()) << rule.name;
  };
  std::ranges::for_each(table.all(), check);
  check(table.any());
  for (const std::string_view must :
       {"gmail",    "outlook", "microsoft365", "yahoo",  "icloud",  "orange", "gmx",  "ionos",
        "t-online", "mail-ru", "yandex",       "qq",     "netease", "naver",  "daum", "comcast",
        "libero",   "free",    "laposte",      "seznam", "wp",      "onet"})
    EXPECT_NE(table.find(must), nullptr) << must;
}

struct HostCase {
  std::vector<std::string> hosts;
  std::string_view provider;  // empty: none
};

TEST(Providers, are_known_by_their_hosts) {
  const ProviderTable table = table_with("");
  const HostCase cases[] = {
      {{"gmail-smtp-in.l.google.com", "alt1.gmail-smtp-in.l.google.com"}, "gmail"},
      {{"ASPMX.L.GOOGLE.COM."}, "gmail"},
      {{"hotmail-com.olc.protection.outlook.com"}, "outlook"},
      {{"contoso-com.mail.protection.outlook.com"}, "microsoft365"},
      {{"contoso-com.a-v1.mx.microsoft"}, "microsoft365"},
      {{"mta7.am0.yahoodns.net"}, "yahoo"},
      {{"mx-aol.mail.gm0.yahoodns.net"}, "yahoo"},
      {{"mx01.mail.icloud.com"}, "icloud"},
      {{"smtp-in.orange.fr"}, "orange"},
      {{"mx00.gmx.net"}, "gmx"},
      {{"mx-ha02.web.de"}, "gmx"},
      {{"mx00.kundenserver.de"}, "ionos"},
      {{"mx00.t-online.de"}, "t-online"},
      {{"mxs.mail.ru"}, "mail-ru"},
      {{"mx.yandex.ru"}, "yandex"},
      {{"mx3.qq.com"}, "qq"},
      {{"163mx01.mxmail.netease.com"}, "netease"},
      {{"mx1.naver.com"}, "naver"},
      {{"mx.example.org", "mx01.mail.icloud.com"}, "icloud"},
      {{"notgoogle.com"}, ""},
      {{"google.com.example.org"}, ""},
      {{""}, ""},
      {{}, ""},
  };
  for (const HostCase& one : cases) {
    const auto* provider = table.of_hosts(one.hosts);
    EXPECT_EQ(provider == nullptr ? "" : provider->name, one.provider)
        << (one.hosts.empty() ? "no host" : one.hosts.front());
  }
  ASSERT_NE(table.of_domain("Gmail.com"), nullptr);
  EXPECT_EQ(table.of_domain("Gmail.com")->name, "gmail");
  EXPECT_EQ(table.of_domain("mail.gmail.com"), nullptr);
}

struct ReplyCase {
  std::string_view provider;
  std::string_view said;
  std::string_view rule;  // empty: nothing but what the code says
};

// Replies as the providers publish them, or as senders have shown them.
constexpr ReplyCase replies[] = {
    // Google: https://support.google.com/a/answer/3726730
    {"gmail",
     "421 4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP "
     "address.",
     "gmail/unsolicited_rate"},
    {"gmail",
     "421 4.7.0 [192.0.2.1 15] Our system has detected an unusual rate of unsolicited mail "
     "originating from your IP address.",
     "gmail/unsolicited_rate"},
    {"gmail",
     "550 5.7.1 [192.0.2.22 18] Our system has detected that this message is / likely suspicious "
     "due to the very low reputation of the sending IP",
     "gmail/low_reputation"},
    {"gmail",
     "550 5.7.26 Unauthenticated email from example.org is not accepted due to domain's DMARC "
     "policy.",
     "gmail/bulk_rules"},
    {"gmail",
     "421 4.7.26 Your email has been rate limited because it is unauthenticated.",
     "gmail/bulk_rules"},
    {"gmail",
     "421 4.7.30 Your email has been rate limited because DKIM authentication did not pass.",
     "gmail/bulk_rules"},
    {"gmail",
     "421 4.7.29 Your email has been rate limited because this message was not sent over a TLS "
     "connection.",
     "gmail/bulk_rules"},
    {"gmail",
     "550 5.7.25 [2001:db8::1] The IP address sending this message does not have a PTR record "
     "setup",
     "gmail/reverse_dns"},
    {"gmail",
     "550 5.7.1 [2001:db8::1 16] Our system has detected that this message does not have a PTR "
     "record",
     "gmail/reverse_dns"},
    {"gmail",
     "450 4.2.1 The user you are trying to contact is receiving mail too quickly.",
     "gmail/user_rate"},
    {"gmail",
     "450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents "
     "additional messages from being delivered.",
     "gmail/user_rate"},
    {"gmail", "452 4.2.2 The recipient's inbox is out of storage space.", "gmail/over_quota"},
    {"gmail", "421 4.4.5 Server busy, try again later.", "gmail/busy"},
    {"gmail", "421 4.3.0 Temporary System Problem. Try again later", "gmail/busy"},
    {"gmail", "421 4.7.0 Try again later, closing connection.", "gmail/busy"},
    {"gmail", "452 4.5.3 Your message has too many recipients.", "any/too_many_recipients"},
    {"gmail", "550 5.1.1 The email account that you tried to reach does not exist.", ""},
    // Microsoft
    {"outlook",
     "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your "
     "Internet service provider since part of their network is on our block list (S3150).",
     "outlook/block_list"},
    {"outlook",
     "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. ... block list (AS3140).",
     "outlook/block_list"},
    {"outlook",
     "550 SC-001 (BAY004-MC1F3) Unfortunately, messages from 192.0.2.1 weren't sent.",
     "outlook/block_list"},
    {"outlook",
     "550 DY-001 (COL0-MC1) Unfortunately, messages from 192.0.2.1 weren't sent.",
     "outlook/block_list"},
    {"outlook",
     "451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP "
     "reputation. For e-mail delivery information, see https://postmaster.live.com (S775)",
     "outlook/rate_limited"},
    {"outlook",
     "451 4.7.651 The mail server [192.0.2.1] has been temporarily rate limited due to IP "
     "reputation.",
     "outlook/rate_limited"},
    {"outlook",
     "451 4.7.652 The mail server [192.0.2.1] has exceeded the maximum number of connections.",
     "outlook/rate_limited"},
    {"outlook",
     "421 RP-001 (BAY0-MC4-F18) Unfortunately, some messages from 192.0.2.1 weren't sent.",
     "outlook/rate_limited"},
    {"outlook",
     "451 4.7.500 Server busy. Please try again later from [192.0.2.1]. (AS843)",
     "outlook/busy"},
    {"outlook",
     "550 5.7.515 Access denied, sending domain EXAMPLE.ORG doesn't meet the required "
     "authentication level.",
     "outlook/authentication"},
    {"outlook",
     "550 5.7.509 Access denied, sending domain [EXAMPLE.JP] does not pass DMARC verification and "
     "has a DMARC policy of reject.",
     "outlook/authentication"},
    {"microsoft365",
     "550 5.4.1 [a@example.org]: Recipient address rejected: Access denied",
     "microsoft365/no_such_user"},
    {"microsoft365",
     "550 5.7.606 Access denied, banned sending IP [192.0.2.225].",
     "microsoft365/banned_ip"},
    {"microsoft365",
     "550 5.7.511 Access denied, banned sender[192.0.2.1].",
     "microsoft365/banned_ip"},
    {"microsoft365",
     "451 4.7.500 Server busy. Please try again later from [192.0.2.1].",
     "microsoft365/throttled"},
    {"microsoft365",
     "432 4.3.2 STOREDRV.Deliver; recipient thread limit exceeded",
     "microsoft365/throttled"},
    {"microsoft365",
     "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP.",
     "microsoft365/tenant_volume"},
    // Yahoo: https://senders.yahooinc.com/smtp-error-codes/
    {"yahoo",
     "421 4.7.0 [TSS04] Messages from 192.0.2.25 temporarily deferred due to unexpected volume or "
     "user complaints - 4.16.55.1",
     "yahoo/complaints"},
    {"yahoo",
     "421 4.7.0 [TS01] Messages from 192.0.2.25 temporarily deferred due to user complaints",
     "yahoo/complaints"},
    {"yahoo",
     "421 [IPTS04] Messages from 192.0.2.25 temporarily deferred due to unexpected volume or user "
     "complaints",
     "yahoo/complaints"},
    {"yahoo",
     "421 4.7.1 [TS03] All messages from 192.0.2.25 will be permanently deferred; Retrying will "
     "NOT succeed.",
     "yahoo/deferred_for_long"},
    {"yahoo",
     "553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.25, because the ip is in "
     "Spamhaus's list",
     "yahoo/block_list"},
    {"yahoo",
     "554 5.7.9 Message not accepted for policy reasons. See "
     "https://postmaster.verizonmedia.com/error-codes",
     "yahoo/policy"},
    {"yahoo",
     "421 Max message per connection reached, closing transmission channel",
     "yahoo/too_many_messages"},
    {"yahoo_japan",
     "421 [TSS04] Messages from 192.0.2.25 temporarily deferred due to unexpected volume or user "
     "complaints",
     "yahoo_japan/deferred"},
    // Apple
    {"icloud", "421 [HCM1] Your mail from 192.0.2.1 was deferred due to ...", "icloud/deferred"},
    {"icloud", "451 [BS02] Temporary server error. Please try again later.", "icloud/deferred"},
    {"icloud", "550 5.7.1 [CS01] Message rejected due to local policy.", "icloud/local_policy"},
    {"icloud", "552 5.2.2 <a@icloud.com>: user is over quota", ""},
    // France
    {"orange",
     "421 4.2.0 Service refuse. Veuillez essayer plus tard. Service refused, please try later. "
     "OFR005_505 [505]",
     "orange/slow"},
    {"orange",
     "421 smtp-in Trop de connexions, veuillez verifier votre configuration. Too many connections, "
     "slow down. OFR004_104 [104]",
     "orange/connections"},
    {"orange", "550 5.2.0 Mail rejete. Mail rejected. ofr_506 [506]", "orange/spam"},
    {"orange",
     "550 mwinf5c04 ME Adresse IP source bloquee pour incident de spam. Client host blocked for "
     "spamming issues. OFR006_102",
     "orange/spam"},
    {"laposte",
     "421 4.2.1 Service refuse. Veuillez essayer plus tard. Service refused, please try later. "
     "LPN006_107",
     "laposte/slow"},
    {"laposte",
     "550 5.5.0 Adresse destinataire invalide. Invalid recipient. LPN007_416",
     "laposte/no_such_user"},
    // Germany
    {"gmx",
     "554 mail.com (mxgmxus002) Nemesis ESMTP Service not available / No SMTP service / Bad DNS "
     "PTR resource record. / For explanation visit "
     "http://postmaster.gmx.com/en/error-messages?ip=192.0.2.22&c=rdns",
     "gmx/reverse_dns"},
    {"gmx",
     "554 gmx.net (mxgmx016) Nemesis ESMTP Service not available / No SMTP service / Reject due to "
     "policy restrictions.",
     "gmx/policy"},
    {"gmx", "421 gmx.net (mxgmx016) Too many connections", "any/too_many_connections"},
    {"t-online",
     "554 IP=192.0.2.1 - A problem occurred. (Ask your postmaster for help or to contact "
     "tosa@rx.t-online.de to clarify.)",
     "t-online/unknown_server"},
    // Russia
    {"mail-ru",
     "550 spam message rejected. Please visit http://help.mail.ru/notspam-support/id?c=abc",
     "mail-ru/spam"},
    {"mail-ru", "451 4.7.1 Ratelimit exceeded, try again later", "mail-ru/rate"},
    {"yandex",
     "554 5.7.1 [2] Message rejected under suspicion of SPAM; https://ya.cc/1IrBc",
     "yandex/spam"},
    // China
    {"qq",
     "550 Connection frequency limited [Q1YzZ3kx Blocked IP 192.0.2.22]. "
     "http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=20022&&no=1000722",
     "qq/frequency"},
    {"qq", "550 Ip frequency limited. http://service.mail.qq.com/", "qq/frequency"},
    {"qq",
     "550 Mail content denied. "
     "http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=20022&&no=1000726",
     "qq/content"},
    {"netease",
     "421 HL:ICC 163 mx7,M8CowECpgUc 1456, http://mail.163.com/help/help_spam_16.htm",
     "netease/limits"},
    {"netease", "451 DT:SPM 163 mx14,QMCowADHr5 please try again later", "netease/limits"},
    {"netease", "554 DT:SPM 163 smtp1,C9GowACHAEpJ", "netease/spam"},
    {"netease", "550 RP:ORQ 163 mx3", "netease/limits"},
    // United States
    {"comcast",
     "421 4.1.0 192.0.2.1 Throttled - try again later. Please see "
     "http://postmaster.comcast.net/smtp-error-codes.php#RL000001",
     "comcast/rate"},
    {"comcast",
     "554 resimta 192.0.2.1 found on one or more DNSBLs, see "
     "http://postmaster.comcast.net/smtp-error-codes.php#BL000001",
     "comcast/block"},
    {"comcast",
     "554 mta1.comcast.net comcast 203.0.113.2 Comcast requires that all mail servers must have a "
     "PTR record with a valid Reverse DNS entry.",
     "comcast/reverse_dns"},
    {"charter",
     "550 5.1.0 sender rejected. Please see "
     "https://www.spectrum.net/support/internet/understanding-email-error-codes for more "
     "information. AUP#In-1310",
     "charter/block"},
    {"cox",
     "550 5.1.0 sender rejected. Refer to Error Codes section at "
     "https://www.cox.com/residential/support/email-error-codes.html for more information. "
     "AUP#CDRBL",
     "cox/block"},
    {"mimecast",
     "451 Internal resources are temporarily unavailable - "
     "https://community.mimecast.com/docs/DOC-1369#451",
     "mimecast/greylisted"},
    {"proofpoint",
     "554 Blocked - see https://ipcheck.proofpoint.com/?ip=192.0.2.1",
     "proofpoint/block"},
    {"barracuda",
     "554 Service unavailable; Client host [192.0.2.1] blocked using Barracuda Reputation; "
     "http://www.barracudanetworks.com/reputation/",
     "barracuda/block"},
    {"cisco",
     "554 mx1.example.com / Your access to this mail system has been rejected due to the sending "
     "MTA's poor reputation.",
     "cisco/reputation"},
    // Anybody
    {"",
     "450 4.2.0 <a@example.org>: Recipient address rejected: Greylisted, see "
     "http://postgrey.schweikert.ch/help/example.org.html",
     "any/greylisted"},
    {"", "451 4.7.1 Greylisting in action, please come back later", "any/greylisted"},
    {"", "451 4.7.1 Please try again in 300 seconds", "any/greylisted"},
    {"",
     "421 4.7.0 mx.example.org Error: too many connections from 192.0.2.1",
     "any/too_many_connections"},
    {"",
     "421 Too many concurrent SMTP connections; please try again later.",
     "any/too_many_connections"},
    {"", "452 4.3.2 Connection rate limit exceeded.", "any/too_many_connections"},
    {"",
     "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org; "
     "https://www.spamhaus.org/query/ip/192.0.2.1",
     "any/dnsbl"},
    {"", "550 5.7.1 Service unavailable, host 192.0.2.1 is listed at bl.spamcop.net", "any/dnsbl"},
    {"",
     "450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]",
     "any/reverse_dns"},
    {"",
     "550 5.7.1 Connections not accepted from servers without a valid sender domain. Fix reverse "
     "DNS for 203.0.113.2",
     "any/reverse_dns"},
    {"", "452 4.2.2 Mailbox full", "any/mailbox_full"},
    {"", "452 4.3.1 Insufficient system storage", "any/server_full"},
    {"", "451 4.7.1 You are sending too fast. Rate limit exceeded.", "any/rate"},
    {"", "550 5.7.23 SPF validation failed: message rejected", "any/sender_unauthenticated"},
    {"",
     "553 5.1.8 Domain of sender address a@example.org does not exist",
     "any/sender_domain_unknown"},
    {"", "450 4.1.8 Sender address rejected: Domain not found", "any/sender_domain_unknown"},
    {"", "421 4.3.2 Service shutting down", "any/shutting_down"},
    {"", "452 4.5.3 Too many recipients", "any/too_many_recipients"},
    {"", "550 5.1.1 User unknown", ""},
    {"yahoo", "250 2.0.0 Ok: queued as [TSS04]", ""},
    {"", "554 5.7.1 Relay access denied", ""},
};

TEST(Replies, call_for_what_the_table_says) {
  const ProviderTable table = table_with("");
  EXPECT_GE(std::size(replies), 60U);
  for (const ReplyCase& one : replies) {
    const auto* provider = table.find(one.provider);
    ASSERT_EQ(provider == nullptr, one.provider.empty()) << one.provider;
    const auto* rule = table.rule_for(provider, one.said);
    EXPECT_EQ(rule == nullptr ? "" : rule->name, one.rule) << one.provider << ": " << one.said;
  }
}

TEST(ProvidersFile, extends_and_overrides_by_name) {
  const ProviderTable table = table_with(
      "[gmail]\nconnections_per_source = 2\nmessage_rate_per_source = \"600/1h\"\n"
      "[gmail.replies.busy]\ntime = \"2h\"\n"
      "[gmail.replies.mine]\npatterns = ['^421 4\\.7\\.28']\naction = \"note\"\n"
      "[club]\nmx = [\"mx.club.example\"]\n"
      "[any.replies.ours]\npatterns = ['club rule']\naction = \"suspend_site\"\ntime = \"1d\"\n");
  const auto* gmail = table.find("gmail");
  ASSERT_NE(gmail, nullptr);
  EXPECT_EQ(gmail->limits.per_source.connections_max, 2U);
  EXPECT_EQ(gmail->limits.messages_per_connection_max, 50U);
  EXPECT_EQ(gmail->limits.per_source.messages, (Rate{600, 1h}));
  EXPECT_EQ(rate_text(*gmail->limits.per_source.messages), "600/1h");
  EXPECT_EQ(table.rule_for(gmail, "421 4.7.28 x")->name, "gmail/mine");  // before what ships
  EXPECT_EQ(table.rule_for(gmail, "421 4.4.5 busy")->time, 2h);
  EXPECT_EQ(table.rule_for(gmail, "421 4.4.5 busy")->reaction, Reaction::slow_down);
  EXPECT_EQ(table.of_hosts(std::vector<std::string>{"a.mx.club.example"}), table.find("club"));
  EXPECT_EQ(table.rule_for(nullptr, "451 Club Rule")->reaction, Reaction::suspend_site);
}

struct WrongCase {
  std::string_view toml, what;
};

TEST(ProvidersFile, tells_what_is_wrong) {
  const WrongCase cases[] = {
      {"x = 1\n", "p:1: x: expected a table of a provider, as [example]"},
      {"[a]\nmx = [\"a.example\"]\nconections_per_site = 1\n",
       "p:3: a.conections_per_site: unknown key conections_per_site; did you mean "
       "connections_per_site?"},
      {"[a]\nmx = \"a.example\"\n", "p:2: a.mx: expected a list of at most 200 names"},
      {"[a]\nmx = [\"a b\"]\n", "p:2: a.mx: \"a b\" is no domain name"},
      {"[a]\nconnections_per_source = 5\n", "p:2: a: expected mx = [...] or domains = [...]"},
      {"[a]\nmx = [\"google.com\"]\n", "google.com belongs to a already"},
      {"[a]\nmx = [\"a.example\"]\nconnections_per_source = 0\n",
       "p:3: a.connections_per_source: expected a number"},
      {"[a]\nmx = [\"a.example\"]\nmessage_rate_per_source = \"fast\"\n",
       "p:3: a.message_rate_per_source: expected a count in a time, as \"600/1h\""},
      {"[gmail.replies.a]\npatterns = ['(']\naction = \"note\"\n",
       "p:2: gmail.replies.a.patterns: no pattern: missing"},
      {"[gmail.replies.a]\npatterns = ['x']\naction = \"stop\"\n",
       "p:3: gmail.replies.a.action: expected \"slow_down\", "},
      {"[gmail.replies.a]\npatterns = ['x']\naction = \"slow_down\"\n",
       "gmail/a: slow_down needs a time"},
      {"[gmail.replies.a]\naction = \"note\"\n", "gmail/a: patterns are missing"},
      {"[gmail.replies.a]\npatterns = ['x']\ntime = \"8d\"\n",
       "p:3: gmail.replies.a.time: expected a time from 1s to 7d"},
      {"[any]\nmx = [\"a.example\"]\n", "any: it is for all: no mx, no domains"},
      {"[gmail]\nreplies = 1\n", "p:2: gmail.replies: expected a table of a reply"},
      {"[gmail\n", "p:1: this is not TOML"},
  };
  for (const WrongCase& one : cases) {
    const auto table = read_providers(one.toml, "p");
    ASSERT_FALSE(table) << one.toml;
    EXPECT_TRUE(table.error().what.contains(one.what)) << one.toml << table.error().what;
  }
}

}  // namespace
}  // namespace tapal::shaping

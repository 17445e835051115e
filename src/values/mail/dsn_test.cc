#include "values/mail/dsn.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "values/mail/content.h"
#include "values/mail/header.h"
#include "values/mail/mime.h"
#include "values/text/ascii.h"

namespace tapal::mail {
namespace {

WallTime at(long long seconds) { return WallTime(std::chrono::seconds(seconds)); }

constexpr std::string_view original =
    "From: Asha <asha@sender.example>\r\nTo: ravi@inbox.example\r\nSubject: Monsoon\r\n"
    "Message-ID: <1@sender.example>\r\n\r\nHello\r\n";

RecipientReport recipient(std::string_view address, Action action, std::string_view status) {
  RecipientReport report;
  report.recipient = parse_address(address).value();
  report.action = action;
  report.status = status;
  report.last_attempt = at(1'795'316'645);
  report.will_retry_until = at(1'795'748'645);
  return report;
}

DeliveryReport sample() {
  DeliveryReport report;
  report.host = "mail.sender.example";
  report.to = parse_address("asha@sender.example").value();
  report.now = at(1'795'316'700);
  report.message_id = "<0123@mail.sender.example>";
  report.boundary = "=_0123";
  report.arrived = at(1'795'316'640);
  report.original_subject = "Monsoon";
  report.original_message_id = "<1@sender.example>";
  report.original = original;
  return report;
}

struct DsnCase {
  std::string name;
  DeliveryReport report;
};

std::vector<DsnCase> cases() {
  std::vector<DsnCase> all;
  {
    DsnCase failure{"failure", sample()};
    auto refused = recipient("ravi@inbox.example", Action::failed, "5.1.1");
    refused.original = "rfc822;ravi@inbox.example";
    refused.remote_mta = "mx.inbox.example";
    refused.reply =
        "550 5.1.1 <ravi@inbox.example>: no such user here, see https://inbox.example/help";
    auto expired = recipient("meera@slow.example", Action::failed, "5.4.7");
    expired.reason = "connection to mx.slow.example [192.0.2.7]:25 timed out";
    failure.report.recipients = {refused, expired};
    failure.report.envelope_id = "QQ314159";
    all.push_back(failure);
  }
  {
    DsnCase full{"failure_full", sample()};
    full.report.recipients = {recipient("ravi@inbox.example", Action::failed, "5.2.2")};
    full.report.returned = ReturnContent::full;
    all.push_back(full);
  }
  {
    DsnCase delay{"delay", sample()};
    delay.report.recipients = {recipient("meera@slow.example", Action::delayed, "4.4.1")};
    delay.report.recipients[0].reason = "no address of the mail host answers";
    all.push_back(delay);
  }
  {
    DsnCase success{"success", sample()};
    success.report.recipients = {recipient("a@inbox.example", Action::delivered, "2.1.5"),
                                 recipient("b@inbox.example", Action::relayed, "2.0.0"),
                                 recipient("c@inbox.example", Action::expanded, "2.1.5")};
    all.push_back(success);
  }
  {
    DsnCase utf8{"smtputf8", sample()};
    utf8.report.recipients = {
        recipient("\xE0\xA4\xB0\xE0\xA4\xB5\xE0\xA4\xBF@inbox.example", Action::failed, "5.6.7")};
    utf8.report.recipients[0].original = "utf-8;\xE0\xA4\xB0\xE0\xA4\xB5\xE0\xA4\xBF@inbox.example";
    utf8.report.original_smtputf8 = true;
    utf8.report.original_subject = "=?UTF-8?Q?Gr=C3=BC=C3=9Fe?=";
    all.push_back(utf8);
  }
  return all;
}

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// TAPAL_GOLDEN=update writes the files anew: read the difference before committing it.
TEST(DeliveryReport, is_the_message_kept_as_right) {
  const char* mode = std::getenv("TAPAL_GOLDEN");
  for (const DsnCase& one : cases()) {
    const auto path =
        std::filesystem::path(TAPAL_SOURCE_FOLDER) / "tests/messages/dsn" / (one.name + ".eml");
    const std::string text = compose(one.report).text;
    if (mode != nullptr && std::string_view(mode) == "update") {
      std::filesystem::create_directories(path.parent_path());
      std::ofstream(path, std::ios::binary) << text;
    }
    EXPECT_EQ(text, read(path)) << path;
  }
}

TEST(DeliveryReport, has_the_form_of_rfc_6522) {
  for (const DsnCase& one : cases()) {
    const ReportMessage message = compose(one.report);
    const auto header = HeaderFields::parse(message.text);
    ASSERT_TRUE(header) << one.name << ": " << header.error().what;
    for (const std::string_view name : {"Date",
                                        "From",
                                        "To",
                                        "Subject",
                                        "Message-ID",
                                        "MIME-Version",
                                        "Content-Type",
                                        "Auto-Submitted"}) {
      EXPECT_EQ(header->count(name), 1U) << one.name << " " << name;
    }
    EXPECT_EQ(header->body_of("Auto-Submitted"), "auto-replied");
    const auto type = parse_content_type(header->find("Content-Type")->body);
    ASSERT_TRUE(type);
    EXPECT_EQ(type->type, "multipart/report");
    EXPECT_EQ(type->parameter("report-type"), "delivery-status");
    EXPECT_EQ(type->parameter("boundary"), one.report.boundary);
    EXPECT_EQ(parse_mailbox_list(header->find("From")->body)->front().address.text(),
              "MAILER-DAEMON@mail.sender.example");
    ContentScanner scanner;
    scanner.on_bytes(message.text);
    const ContentFacts facts = scanner.finish();
    EXPECT_LE(facts.longest_line, 998U);
    EXPECT_FALSE(facts.has_bare_cr || facts.has_bare_lf || facts.has_nul);
    EXPECT_FALSE(facts.header_has_8bit && !message.smtputf8);
    EXPECT_EQ(facts.body_has_8bit, message.body == BodyType::eight_bit_mime) << one.name;
  }
}

struct TypeCase {
  std::string_view name;
  std::string original;
  ReturnContent returned;
  bool smtputf8;
  std::string_view contains;
  BodyType body;
};

TEST(DeliveryReport, chooses_types_by_what_the_original_has) {
  const std::string ascii = "Subject: a\r\n\r\nhello\r\n";
  const std::string eight = "Subject: a\r\n\r\ngr\xC3\xBCn\r\n";
  const std::string header8 = "Subject: gr\xC3\xBCn\r\n\r\nhello\r\n";
  const std::string long_line = "Subject: a\r\n\r\n" + std::string(999, 'x') + "\r\n";
  const std::string binary = "Subject: a\r\n\r\na\nb\r\n";
  const TypeCase table[] = {
      {"whole",
       ascii,
       ReturnContent::full,
       false,
       "message/rfc822\r\n\r\nSubject: a\r\n\r\nhello\r\n",
       BodyType::seven_bit},
      {"whole 8-bit",
       eight,
       ReturnContent::full,
       false,
       "message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n",
       BodyType::eight_bit_mime},
      {"whole with UTF-8 header",
       header8,
       ReturnContent::full,
       true,
       "Content-Type: message/global\r\n",
       BodyType::eight_bit_mime},
      {"8-bit header without SMTPUTF8",
       header8,
       ReturnContent::full,
       false,
       "text/rfc822-headers; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
       "Subject: gr=C3=BCn",
       BodyType::seven_bit},
      {"long line",
       long_line,
       ReturnContent::full,
       false,
       "text/rfc822-headers\r\n\r\nSubject: a\r\n\r\n--",
       BodyType::seven_bit},
      {"binary",
       binary,
       ReturnContent::full,
       false,
       "text/rfc822-headers\r\n\r\nSubject: a\r\n\r\n--",
       BodyType::seven_bit},
      {"header",
       ascii,
       ReturnContent::headers,
       false,
       "text/rfc822-headers\r\n\r\nSubject: a\r\n\r\n--",
       BodyType::seven_bit},
      {"UTF-8 header",
       header8,
       ReturnContent::headers,
       true,
       "message/global-headers; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n",
       BodyType::eight_bit_mime},
      {"long header line",
       "X: " + std::string(2000, 'x') + "\r\n",
       ReturnContent::headers,
       false,
       "quoted-printable",
       BodyType::seven_bit},
      {"nothing",
       "",
       ReturnContent::headers,
       false,
       "text/rfc822-headers\r\n\r\n",
       BodyType::seven_bit},
  };
  for (const TypeCase& one : table) {
    DeliveryReport report = sample();
    report.recipients = {recipient("ravi@inbox.example", Action::failed, "5.0.0")};
    report.original = one.original;
    report.returned = one.returned;
    report.original_smtputf8 = one.smtputf8;
    const ReportMessage message = compose(report);
    EXPECT_TRUE(message.text.contains(one.contains)) << one.name << "\n" << message.text;
    EXPECT_EQ(message.body, one.body) << one.name;
    EXPECT_EQ(message.smtputf8, one.smtputf8) << one.name;
  }
}

TEST(DeliveryReport, writes_utf8_addresses_as_ascii_where_it_must) {
  DeliveryReport report = sample();
  report.recipients = {
      recipient("\xC3\xBC\xF0\x9F\x93\xAE+a=b@inbox.example", Action::failed, "5.6.7")};
  const ReportMessage message = compose(report);
  EXPECT_FALSE(message.smtputf8);
  EXPECT_TRUE(text::is_ascii(message.text));
  EXPECT_TRUE(message.text.contains(
      "Final-Recipient: utf-8; \\x{FC}\\x{1F4EE}\\x{2B}a\\x{3D}b@inbox.example\r\n"));
}

TEST(DeliveryReport, is_not_broken_by_what_a_peer_says) {
  DeliveryReport report = sample();
  report.recipients = {recipient("ravi@inbox.example", Action::failed, "5.0.0\r\nX: y")};
  report.recipients[0].reply =
      "550 a\r\nAction: delivered\r\n\r\n--=_0123--\r\n" + std::string(5000, 'x');
  report.recipients[0].remote_mta = "mx\r\nX: y\xFF";
  report.recipients[0].original = "rfc822\r\nX: y;a\r\nX: y";
  report.envelope_id = "a\r\nX: y\xC3\xBC";
  report.original_subject = "a\r\nX: y";
  report.original_message_id = "<a@b>\r\nX: y";
  const std::string text = compose(report).text;
  EXPECT_FALSE(text.contains("\r\nX: y"));
  EXPECT_FALSE(text.contains("\r\nAction: delivered"));
  EXPECT_EQ(text.find("\r\n--=_0123--"), text.size() - 14);
  const auto header = HeaderFields::parse(text);
  ASSERT_TRUE(header) << header.error().what;
}

TEST(DeliveryReport, tells_what_to_do) {
  const std::pair<std::string_view, std::string_view> table[] = {
      {"5.1.1", "Check the address for typing mistakes"},
      {"5.1.10", "Check the address"},
      {"5.1.8", "does not accept your own address"},
      {"5.2.2", "The mailbox is full"},
      {"5.2.1", "The mailbox takes no mail now"},
      {"5.3.4", "The message is too large"},
      {"5.4.7", "Check the part after the @"},
      {"5.6.3", "has a form that the receiving server cannot take"},
      {"5.7.1", "refuses the message by its own rules"},
      {"", "Ask the postmaster"},
  };
  for (const auto& [status, words] : table) {
    DeliveryReport report = sample();
    report.recipients = {recipient("ravi@inbox.example", Action::failed, status)};
    EXPECT_TRUE(compose(report).text.contains(words)) << status;
  }
}

}  // namespace
}  // namespace tapal::mail

#include "protocols/smtp/client_extensions.h"

namespace tapal::smtp {
namespace {

ExtensionSet parse(std::vector<std::string> lines) {
  lines.insert(lines.begin(), "mx.example.com greets you");
  return parse_ehlo({250, "", std::move(lines)});
}

TEST(ParseEhlo, reads_every_extension) {
  const ExtensionSet set = parse({"PIPELINING",
                                  "size 1000",
                                  "8BITMIME",
                                  "CHUNKING",
                                  "BINARYMIME",
                                  "SMTPUTF8",
                                  "DSN",
                                  "STARTTLS",
                                  "REQUIRETLS",
                                  "ENHANCEDSTATUSCODES",
                                  "X-UNKNOWN 1",
                                  "AUTH PLAIN scram-sha-256",
                                  "LIMITS RCPTMAX=20 mailmax=5 RCPTDOMAINMAX=1 OTHER=x"});
  ExtensionSet expected;
  expected.name = "mx.example.com";
  for (const ExtensionRow& row : extension_rows) expected.offered.add(row.extension);
  expected.size_max = 1000;
  expected.auth_mechanisms = {"PLAIN", "SCRAM-SHA-256"};
  expected.recipients_max = 20;
  expected.mails_max = 5;
  expected.recipient_domains_max = 1;
  EXPECT_EQ(set, expected);
}

TEST(ParseEhlo, never_takes_the_first_line_for_an_extension) {
  const ExtensionSet set = parse_ehlo({250, "", {"STARTTLS PIPELINING"}});
  EXPECT_EQ(set.name, "STARTTLS");
  EXPECT_FALSE(set.has(Extension::starttls));
  EXPECT_EQ(parse_ehlo({250, "", {}}), ExtensionSet{});
  EXPECT_EQ(parse_ehlo({250, "", {""}}), ExtensionSet{});
}

TEST(ParseEhlo, takes_malformed_values_as_not_told) {
  EXPECT_EQ(parse({"SIZE"}).size_max, 0u);
  EXPECT_EQ(parse({"SIZE lots"}).size_max, 0u);
  EXPECT_EQ(parse({"SIZE 99999999999999999999999"}).size_max, 0u);
  EXPECT_EQ(parse({"LIMITS RCPTMAX=0 MAILMAX= RCPTDOMAINMAX=1000000"}).recipients_max,
            std::nullopt);
  EXPECT_EQ(parse({"LIMITS RCPTMAX=0 MAILMAX= RCPTDOMAINMAX=1000000"}).mails_max, std::nullopt);
  EXPECT_EQ(parse({"LIMITS RCPTDOMAINMAX=1000000"}).recipient_domains_max, std::nullopt);
  EXPECT_EQ(parse({"AUTH PL@IN " + std::string(21, 'X')}).auth_mechanisms.size(), 0u);
}

TEST(ParseEhlo, reads_the_old_form_of_auth_and_bounds_the_list) {
  EXPECT_EQ(parse({"AUTH=LOGIN PLAIN", "AUTH PLAIN CRAM-MD5"}).auth_mechanisms,
            (std::vector<std::string>{"LOGIN", "PLAIN", "CRAM-MD5"}));
  std::string many = "AUTH";
  for (int i = 0; i < 500; ++i) many += " M" + std::to_string(i);
  EXPECT_EQ(parse({many}).auth_mechanisms.size(), auth_mechanisms_max);
  EXPECT_TRUE(parse({"AUTH PLAIN"}).offers_auth("plain"));
  EXPECT_FALSE(parse({"AUTH PLAIN"}).offers_auth("LOGIN"));
}

}  // namespace
}  // namespace tapal::smtp

#include "values/dns/rdata_fields.h"

#include <gtest/gtest.h>

#include "values/dns/rdata.h"

namespace tapal::dns {
namespace {

TEST(RdataFields, come_back_as_they_went_in) {
  const Service service{0, 1, 465, "mail.example.com"};
  EXPECT_EQ(service_from_data(to_data(service).value()).value(), service);
  const Service none{0, 0, 0, ""};
  EXPECT_EQ(service_from_data(to_data(none).value()).value(), none);
  const Authorization issue{128, "issue", "letsencrypt.org; accounturi=https://a/1"};
  EXPECT_EQ(authorization_from_data(to_data(issue).value()).value(), issue);
  const Authorization nobody{0, "issuewild", ""};
  EXPECT_EQ(authorization_from_data(to_data(nobody).value()).value(), nobody);
  const Association key{3, 1, 1, std::string(32, '\xaa')};
  EXPECT_EQ(association_from_data(to_data(key)).value(), key);
}

TEST(RdataFields, are_those_of_master_files) {
  EXPECT_EQ(data_to_text(Type::srv, to_data(Service{0, 1, 465, "a.example"}).value()),
            "0 1 465 a.example.");
  EXPECT_EQ(data_to_text(Type::caa, to_data(Authorization{0, "issue", ";"}).value()),
            "0 issue \";\"");
  EXPECT_EQ(data_to_text(Type::tlsa, to_data(Association{3, 1, 1, "\x01\xff"})), "3 1 1 01ff");
}

TEST(RdataFields, refuse_what_is_cut_or_of_another_kind) {
  for (const Data& data : {Data(Text{"x"}),
                           Data(RawData{}),
                           Data(RawData{std::string("\0\0\0\0\0", 5)}),
                           Data(RawData{std::string("\0\0\0\0\0\0", 6)}),
                           Data(RawData{std::string("\0\0\0\0\0\0\0x", 8)})})
    EXPECT_FALSE(service_from_data(data));
  for (const Data& data : {Data(Text{"x"}),
                           Data(RawData{}),
                           Data(RawData{std::string("\0\5iss", 5)}),
                           Data(RawData{std::string("\0\0x", 3)})})
    EXPECT_FALSE(authorization_from_data(data));
  for (const Data& data : {Data(Text{"x"}), Data(RawData{}), Data(RawData{"\3\1\1"})})
    EXPECT_FALSE(association_from_data(data));
  EXPECT_FALSE(to_data(Authorization{}));
  EXPECT_FALSE(to_data(Service{0, 0, 0, "a..b"}));
}

}  // namespace
}  // namespace tapal::dns

#include "values/dns/rdata_fields.h"

#include <gtest/gtest.h>

#include "values/dns/rdata.h"

namespace tapal::dns {
namespace {

TEST(RdataFields, srv_is_what_a_master_file_says) {
  const auto data = srv_to_data({0, 1, 465, "mail.example.com"}).value();
  EXPECT_EQ(data_to_text(Type::srv, data), "0 1 465 mail.example.com.");
  EXPECT_EQ(srv_from_data(data), (ServicePlace{0, 1, 465, "mail.example.com"}));
}

TEST(RdataFields, tlsa_is_what_a_master_file_says) {
  const auto data = tlsa_to_data({3, 1, 1, "\x01\xab"});
  EXPECT_EQ(data_to_text(Type::tlsa, data), "3 1 1 01ab");
  EXPECT_EQ(tlsa_from_data(data), (CertificateAssociation{3, 1, 1, "\x01\xab"}));
}

TEST(RdataFields, caa_is_what_a_master_file_says) {
  const auto data =
      caa_to_data({0, "issue", "ca.example; accounturi=https://ca.example/1"}).value();
  EXPECT_EQ(data_to_text(Type::caa, data),
            "0 issue \"ca.example; accounturi=https://ca.example/1\"");
  EXPECT_EQ(caa_from_data(data)->tag, "issue");
}

TEST(RdataFields, data_that_is_cut_off_is_refused) {
  EXPECT_FALSE(srv_from_data(RawData{std::string(6, '\0')}));
  EXPECT_FALSE(tlsa_from_data(RawData{"\x03\x01"}));
  EXPECT_FALSE(caa_from_data(RawData{std::string("\0\x09issue", 7)}));
  EXPECT_FALSE(caa_from_data(RawData{std::string("\0\0", 2)}));
  EXPECT_FALSE(srv_from_data(Text{"0 1 465 mail.example.com."}));
  EXPECT_FALSE(caa_to_data({0, "", "x"}));
}

}  // namespace
}  // namespace tapal::dns

#include "values/mail/trace.h"

#include "values/mail/header.h"

namespace tapal::mail {
namespace {

Received sample() {
  Received received;
  received.by = "mail.x.example";
  received.protocol = "ESMTPSA";
  received.id = "0123456789ABC";
  received.time = WallTime(std::chrono::seconds(1'795'316'645));
  return received;
}

TEST(Received, tells_nothing_of_a_submitting_client) {
  Received received = sample();
  received.tls = "TLSv1.3 TLS_AES_256_GCM_SHA384";
  EXPECT_EQ(received_field(received),
            "Received: by mail.x.example with ESMTPSA (TLSv1.3 TLS_AES_256_GCM_SHA384) id\r\n"
            " 0123456789ABC; Sun, 22 Nov 2026 03:04:05 +0000\r\n");
}

TEST(Received, names_the_peer_and_a_lone_recipient) {
  Received received = sample();
  received.protocol = "ESMTP";
  received.peer = Received::Peer{"mx.y.example", *IpAddress::from_text("2001:db8::1"), ""};
  received.recipient = parse_address("a@x.example").value();
  EXPECT_EQ(received_field(received),
            "Received: from mx.y.example (unknown [IPv6:2001:db8::1]) by mail.x.example\r\n"
            " with ESMTP id 0123456789ABC for <a@x.example>; Sun, 22 Nov 2026 03:04:05\r\n"
            " +0000\r\n");
}

TEST(Received, is_not_broken_by_what_a_peer_says) {
  for (const std::string& helo : {std::string("a\r\nBcc: b"),
                                  std::string("(("),
                                  std::string(5000, 'x'),
                                  std::string("a;b c"),
                                  std::string("\xC3\xBC"),
                                  std::string()}) {
    Received received = sample();
    received.peer = Received::Peer{helo, *IpAddress::from_text("192.0.2.1"), helo};
    received.tls = helo.substr(0, 100);
    const std::string text = received_field(received);
    const auto header = HeaderFields::parse(text);
    ASSERT_TRUE(header) << text;
    EXPECT_EQ(header->all().size(), 1U) << text;
    EXPECT_EQ(std::ranges::count(text, ';'), 1) << text;
    EXPECT_EQ(std::ranges::count(text, '('), std::ranges::count(text, ')')) << text;
  }
}

TEST(ReturnPath, is_put_in_brackets) {
  EXPECT_EQ(return_path_field({}), "Return-Path: <>\r\n");
  EXPECT_EQ(return_path_field(parse_address("a@x.example").value()),
            "Return-Path: <a@x.example>\r\n");
}

TEST(DeliveredTo, is_found_again_however_it_is_written) {
  const auto ann = parse_address("Ann@x.example").value();
  EXPECT_EQ(delivered_to_field(ann), "Delivered-To: Ann@x.example\r\n");
  const struct {
    std::string_view header;
    bool found;
  } cases[] = {
      {"", false},
      {"Delivered-To: Ann@x.example\r\n", true},
      {"Subject: x\r\ndelivered-to:\t<ann@X.EXAMPLE> \r\n\r\n", true},
      {"Delivered-To : ann@x.example", true},
      {"Delivered-To: bob@x.example\r\nDelivered-To: ann@x.example\r\n", true},
      {"no colon here\r\n: \nDelivered-To: ann@x.example\n", true},
      {"Delivered-To: ann@x.example, bob@x.example\r\n", false},
      {"Delivered-To: ann@y.example\r\n", false},
      {"X-Delivered-To: ann@x.example\r\n", false},
      {"Subject: y\r\n Delivered-To: ann@x.example z\r\n", false},
  };
  for (const auto& c : cases) EXPECT_EQ(was_delivered_to(c.header, ann), c.found) << c.header;
}

}  // namespace
}  // namespace tapal::mail

#include "rules/provision/pasted_message.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace tapal::provision {
namespace {

using enum Severity;

// Made up, each in the form of its provider.
constexpr std::string_view gmail_page = R"(Original Message
Message ID	<7f3a.1@mail.123.example>
Created at:	Sun, Nov 22, 2026 at 1:23 PM (Delivered after 2 seconds)
From:	Ann <ann@123.example>
To:	me@gmail.com
Subject:	Hello
SPF:	PASS with IP 2001:4860:0:1::5 Learn more
DKIM:	'PASS' with domain 123.example Learn more
DMARC:	'PASS' Learn more

Download Original Copy to clipboard

Delivered-To: me@gmail.com
Received: by 2002:a05:6a10:1234:b0:4ff:1 with SMTP id x7csp1;
        Sun, 22 Nov 2026 05:23:11 -0800 (PST)
ARC-Seal: i=1; a=rsa-sha256; t=1795; cv=none; d=google.com; s=arc; b=AAAA
Return-Path: <ann@123.example>
Received: from mail.123.example (mail.123.example. [2001:4860:0:1::5])
        by mx.google.com with ESMTPS id a1-2002
        for <me@gmail.com>
        (version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256);
        Sun, 22 Nov 2026 05:23:11 -0800 (PST)
Authentication-Results: mx.google.com;
       dkim=pass header.i=@123.example header.s=t1 header.b=AbCdEf12;
       spf=pass (google.com: domain of ann@123.example designates 2001:4860:0:1::5 as permitted sender) smtp.mailfrom=ann@123.example;
       dmarc=pass (p=QUARANTINE sp=QUARANTINE dis=NONE) header.from=123.example
Date: Sun, 22 Nov 2026 13:23:09 +0000
From: Ann <ann@123.example>

DMARC: fail, says the body
)";

constexpr std::string_view outlook_source =
    "Received: from AM0EUR02FT042.example (2603:10a6:20b:1::9) by AM0PR01.example\r\n"
    " (fe80::1) with Microsoft SMTP Server (version=TLS1_2, cipher=TLS_ECDHE) id 15.20;\r\n"
    " Sun, 22 Nov 2026 13:25:30 +0000\r\n"
    "Authentication-Results: spf=fail (sender IP is 203.0.113.9)\r\n"
    " smtp.mailfrom=123.example; dkim=fail (body hash did not verify)\r\n"
    " header.d=123.example;dmarc=fail action=quarantine\r\n"
    " header.from=123.example;compauth=fail reason=000\r\n"
    "Received-SPF: Fail (protection.outlook.com: domain of 123.example does not designate)\r\n"
    "Received: from mail.123.example (8.8.4.4) by AM0EUR02FT042.example\r\n"
    " (10.13.54.97) with Microsoft SMTP Server id 15.20.1;\r\n"
    " Sun, 22 Nov 2026 13:25:29 +0000\r\n"
    "From: Ann <ann@123.example>\r\n"
    "Date: Sun, 22 Nov 2026 13:20:00 +0000\r\n"
    "\r\nHello\r\n";

constexpr std::string_view postfix_header =
    "Return-Path: <bounce@news.example>\n"
    "Received: from mail.123.example (mail.123.example [8.8.4.4])\n"
    "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\n"
    "\tby mx.friend.example (Postfix) with ESMTPS id 4X1\n"
    "\tfor <me@friend.example>; Sun, 22 Nov 2026 13:25:29 +0000 (UTC)\n"
    "Authentication-Results: mx.friend.example; dkim=pass header.d=other.example;\n"
    "\tspf=none smtp.mailfrom=news.example; dmarc=none header.from=123.example; arc=fail\n"
    "From: ann@123.example\n"
    "Date: Sun, 22 Nov 2026 13:25:20 +0000\n";

const Finding& found(const PastedMessage& message, std::string_view id) {
  return *std::ranges::find(message.findings, id, &Finding::id);
}

TEST(PastedMessage, of_gmail_is_graded_well) {
  const auto graded = grade_paste(gmail_page).value();
  EXPECT_EQ(graded.receiver, "mx.google.com");
  EXPECT_EQ(graded.from, "123.example");
  for (const auto& finding : graded.findings)
    EXPECT_EQ(finding.severity, ok) << finding.id << ": " << finding.seen;
  EXPECT_EQ(graded.findings.size(), 7U);
  EXPECT_EQ(found(graded, "paste.spf").seen, "pass for ann@123.example");
  EXPECT_EQ(found(graded, "paste.tls").seen, "TLS1_3");
  EXPECT_EQ(found(graded, "paste.ipv6").seen, "sent from 2001:4860:0:1::5");
  EXPECT_EQ(found(graded, "paste.delay").seen, "2s");
}

TEST(PastedMessage, of_gmail_may_be_the_table_alone) {
  const auto table = gmail_page.substr(0, gmail_page.find("Download"));
  const auto graded = grade_paste(table).value();
  EXPECT_EQ(found(graded, "paste.spf").severity, ok);
  EXPECT_EQ(found(graded, "paste.dkim").severity, ok);
  EXPECT_EQ(found(graded, "paste.dmarc").severity, ok);
  EXPECT_EQ(found(graded, "paste.ipv6").severity, ok);
  EXPECT_EQ(found(graded, "paste.tls").severity, info);
}

TEST(PastedMessage, of_outlook_tells_what_failed) {
  const auto graded = grade_paste(outlook_source).value();
  EXPECT_EQ(found(graded, "paste.spf").severity, error);
  EXPECT_EQ(found(graded, "paste.dkim").seen, "fail for 123.example");
  EXPECT_EQ(found(graded, "paste.dkim").severity, error);
  EXPECT_EQ(found(graded, "paste.dmarc").severity, error);
  EXPECT_EQ(found(graded, "paste.delay").severity, warning);
  EXPECT_EQ(found(graded, "paste.delay").seen, "5m30s");
  EXPECT_NE(found(graded, "paste.dmarc").fix, "");
}

TEST(PastedMessage, of_a_server_of_its_own_shows_a_foreign_signature_and_no_policy) {
  const auto graded = grade_paste(postfix_header).value();
  EXPECT_EQ(found(graded, "paste.spf").severity, warning);
  EXPECT_EQ(found(graded, "paste.dkim").severity, warning);
  EXPECT_NE(found(graded, "paste.dkim").seen.find("other.example alone"), std::string::npos);
  EXPECT_EQ(found(graded, "paste.dmarc").severity, warning);
  EXPECT_EQ(found(graded, "paste.arc").severity, warning);
  EXPECT_EQ(found(graded, "paste.tls").seen, "TLSV1.3");
  EXPECT_EQ(found(graded, "paste.ipv6").severity, info);
}

TEST(PastedMessage, that_came_to_postfix_by_ipv6_shows_it) {
  std::string text(postfix_header);
  text.replace(text.find("8.8.4.4"), 7, "IPv6:2a0f:1::10");
  const auto graded = grade_paste(text).value();
  EXPECT_EQ(found(graded, "paste.ipv6").severity, ok);
  EXPECT_NE(found(graded, "paste.ipv6").seen.find("2a0f:1::10"), std::string::npos);
  EXPECT_EQ(found(graded, "paste.tls").seen, "TLSV1.3");
}

TEST(PastedMessage, that_went_in_clear_or_under_old_tls_is_told) {
  std::string text(postfix_header);
  const std::string under = "(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))";
  auto old = text;
  old.replace(old.find("TLSv1.3"), 7, "TLSv1.0");
  EXPECT_EQ(found(grade_paste(old).value(), "paste.tls").severity, warning);
  text.replace(text.find(under), under.size(), "");
  text.replace(text.find("ESMTPS"), 6, "ESMTP");
  EXPECT_EQ(found(grade_paste(text).value(), "paste.tls").severity, error);
}

TEST(PastedMessage, without_a_signature_is_an_error) {
  const auto graded =
      grade_paste("Authentication-Results: mx.example; spf=pass smtp.mailfrom=a@b.example\n")
          .value();
  EXPECT_EQ(found(graded, "paste.dkim").severity, error);
}

TEST(PastedMessage, is_needed) {
  EXPECT_FALSE(grade_paste(""));
  EXPECT_FALSE(grade_paste("Hello, did my mail arrive?\nAnn"));
}

}  // namespace
}  // namespace tapal::provision

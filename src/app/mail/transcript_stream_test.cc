#include "app/mail/transcript_stream.h"

#include <gtest/gtest.h>

#include "ports/test_loop.h"
#include "ports/test_stream.h"

namespace tapal::app {
namespace {

using Lines = std::vector<std::string>;

struct NoTls : TlsServer, TlsClient {};

struct World {
  VirtualLoop loop;
  PipeStream::Pair pipe = PipeStream::make(loop);
  Lines lines;
  TranscriptStream stream{std::move(pipe.client),
                          [this](const std::string& line) { lines.push_back(line); }};

  void client(std::string_view bytes) { loop.wait(stream.write(bytes, never)); }
  void server(std::string_view bytes, std::size_t piece = SIZE_MAX) {
    while (!bytes.empty()) {
      const auto part = bytes.substr(0, piece);
      loop.wait(pipe.server->write(part, never));
      std::array<char, 1000> buffer{};
      loop.wait(stream.read(buffer, never));
      bytes.remove_prefix(part.size());
    }
  }
  bool shows(std::string_view what) const {
    return std::ranges::any_of(lines, [&](const auto& line) { return line.contains(what); });
  }
};

TEST(TranscriptStream, shows_what_each_side_says) {
  for (const std::size_t piece : {1U, 7U, 1000U}) {
    World w;
    w.server("220 mx.example ESMTP\r\n", piece);
    w.client("EHLO client.example\r\n");
    w.server("250-mx.example\r\n250 PIPELINING\r\n", piece);
    w.client("MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n");
    w.server("250 2.1.0 yes\r\n550 no \x1B[31m\r\n", piece);
    EXPECT_EQ(w.lines,
              (Lines{"S: 220 mx.example ESMTP",
                     "C: EHLO client.example",
                     "S: 250-mx.example",
                     "S: 250 PIPELINING",
                     "C: MAIL FROM:<a@b.example>",
                     "C: RCPT TO:<c@d.example>",
                     "S: 250 2.1.0 yes",
                     w.lines.back()}));
    EXPECT_FALSE(w.lines.back().contains('\x1B'));
  }
}

TEST(TranscriptStream, never_shows_a_password) {
  for (const std::size_t piece : {1U, 7U, 1000U}) {
    World w;
    w.client("AUTH PLAIN c2VjcmV0\r\n");
    w.server("535 5.7.8 no\r\n", piece);
    w.client("auth login\r\n");
    w.server("334 VXNlcm5hbWU6\r\n", piece);
    w.client("c2VjcmV0\r\n");
    w.server("334 UGFzc3dvcmQ6\r\n", piece);
    w.client("c2VjcmV0\r\n");
    w.server("235 2.7.0 yes\r\n", piece);
    w.client("RSET\r\n");
    EXPECT_FALSE(w.shows("c2VjcmV0"));
    EXPECT_FALSE(w.shows("UGFzc3dvcmQ6"));
    EXPECT_TRUE(w.shows("C: AUTH PLAIN (not shown)"));
    EXPECT_TRUE(w.shows("S: 235 2.7.0 yes"));
    EXPECT_EQ(w.lines.back(), "C: RSET");
  }
}

TEST(TranscriptStream, shows_only_the_size_of_a_body) {
  World w;
  w.client("DATA\r\n");
  w.server("354 go on\r\n");
  w.client("Subject: secret\r\n\r\nprivate\r\n");
  w.client("more of it\r\n.\r\n");
  w.server("250 2.0.0 queued\r\n");
  w.client("BDAT 17 LAST\r\nSubject: secret\r\n");
  w.server("250 2.0.0 queued\r\n");
  w.client("QUIT\r\n");
  EXPECT_FALSE(w.shows("secret"));
  EXPECT_FALSE(w.shows("private"));
  EXPECT_FALSE(w.shows("more of it"));
  EXPECT_TRUE(w.shows("C: BDAT 17 LAST"));
  EXPECT_TRUE(w.shows("C: (17 bytes of the message)"));
  EXPECT_EQ(w.lines.back(), "C: QUIT");
}

TEST(TranscriptStream, shows_no_body_that_goes_out_with_its_commands) {
  World w;
  w.client(
      "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nBDAT 51 LAST\r\nSubject: secret\r\n");
  EXPECT_EQ(w.lines.size(), 4U);
  EXPECT_FALSE(w.shows("secret"));
  // The peer answers the first commands while the body is still on its way.
  w.server("250 2.1.0 yes\r\n");
  w.client("secret: the rest of a large body\r\n");
  EXPECT_FALSE(w.shows("secret"));
  w.server("250 2.1.5 yes\r\n250 2.0.0 queued\r\n");
}

TEST(TranscriptStream, tells_what_tls_came_to) {
  for (const bool holds : {true, false}) {
    VirtualLoop loop;
    auto pipe = PipeStream::make(loop, {.certificate_holds = holds});
    Lines lines;
    TranscriptStream stream(std::move(pipe.client),
                            [&lines](const std::string& line) { lines.push_back(line); });
    NoTls tls;
    TaskGroup group;
    const auto accept = [](Stream& server, TlsServer& with) -> Task<void> {
      static_cast<void>(co_await server.accept_tls(with, never));
    };
    group.spawn(accept(*pipe.server, tls));
    loop.wait(stream.connect_tls(tls, {}, never));
    EXPECT_EQ(lines,
              Lines{std::string("-- TLSv1.3 TLS_AES_256_GCM_SHA384, certificate ") +
                    (holds ? "holds" : "does not hold: self-signed")});
  }
}

}  // namespace
}  // namespace tapal::app

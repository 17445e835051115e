#include "values/mail/loose_parts.h"

namespace tapal::mail {
namespace {

TEST(LooseField, is_found_beside_broken_lines) {
  const std::string_view header =
      "no colon here\r\nX-Other: 1\r\ncontent-type:\r\n\ttext/plain;\r\n charset=x\r\nX: y\r\n\r\n"
      "Body: z\r\n";
  EXPECT_EQ(loose_field(header, "Content-Type"), "text/plain; charset=x");
  EXPECT_EQ(loose_field(header, "X"), "y");
  EXPECT_EQ(loose_field(header, "Body"), "");
  EXPECT_EQ(loose_field("", "X"), "");
  EXPECT_EQ(loose_field("X:", "X"), "");
}

std::string shown(std::string_view message) {
  std::string all;
  for (const auto& part : loose_parts(message)) all += part.type + "[" + part.text + "]";
  return all;
}

TEST(LooseParts, are_flat_and_decoded) {
  EXPECT_EQ(shown("\r\nplain"), "text/plain[plain]");
  EXPECT_EQ(shown("Content-Type: multipart/report; boundary=b\r\n\r\npreamble\r\n--b\r\n\r\none\r\n"
                  "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n"
                  "Content-Transfer-Encoding: base64\r\n\r\ndHdv\r\n--c--\r\n--b\r\n"
                  "Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ny\r\n--b--\r\nafter\r\n"),
            "text/plain[one\r\n]text/plain[two]message/rfc822[Subject: x\r\n\r\ny\r\n]");
  EXPECT_EQ(shown("Content-Type: multipart/mixed\r\n\r\nno boundary"),
            "multipart/mixed[no boundary]");
}

TEST(LooseParts, end_at_their_limits) {
  std::string message = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
  for (int i = 0; i < 1000; ++i) message += "--b\r\n\r\nx\r\n";
  EXPECT_LT(loose_parts(message).size(), loose_parts_max);
  std::string deep;
  for (int i = 0; i < 100; ++i)
    deep += fmt::format("Content-Type: multipart/mixed; boundary=b{0}x\r\n\r\n--b{0}x\r\n", i);
  EXPECT_EQ(loose_parts(deep).size(), 1U);
}

}  // namespace
}  // namespace tapal::mail

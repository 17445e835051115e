#include "values/text/percent.h"

#include <utility>

#include <gtest/gtest.h>

namespace tapal::text {
namespace {

TEST(PercentEncoded, keeps_only_what_rfc_3986_calls_unreserved) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", ""},
      {"azAZ09-._~", "azAZ09-._~"},
      {"a b+c", "a%20b%2Bc"},
      {"@/?&=%:*'", "%40%2F%3F%26%3D%25%3A%2A%27"},
      {"\xe9\xbb\x98", "%E9%BB%98"},
      {std::string_view("\0\x7f", 2), "%00%7F"},
  };
  for (const auto& [bytes, encoded] : cases) EXPECT_EQ(percent_encoded(bytes), encoded);
}

TEST(PercentDecoded, undoes_it_and_leaves_what_is_no_code) {
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
  EXPECT_EQ(percent_decoded(percent_encoded(every)), every);
  EXPECT_EQ(percent_decoded("%e9%BB%98"), "\xe9\xbb\x98");
  EXPECT_EQ(percent_decoded("%, %4, %4g, %zz, 100%"), "%, %4, %4g, %zz, 100%");
}

}  // namespace
}  // namespace tapal::text

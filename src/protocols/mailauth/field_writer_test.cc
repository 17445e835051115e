#include "protocols/mailauth/field_writer.h"

#include <gtest/gtest.h>

#include "values/text/ascii.h"

namespace tapal::mailauth {
namespace {

TEST(FieldWriter, folds_where_tokens_allow_it) {
  FieldWriter writer("X-Name: a=1;");
  writer.add(std::string(65, 'b'));
  writer.add("c;");
  writer.join("d:");
  writer.join(std::string(80, 'e'));
  writer.put_broken(std::string(100, 'f'));
  EXPECT_EQ(writer.take(),
            "X-Name: a=1; " + std::string(65, 'b') + "\r\n\tc;d:\r\n\t" + std::string(80, 'e') +
                "\r\n\t" + std::string(77, 'f') + "\r\n\t" + std::string(23, 'f'));
}

}  // namespace
}  // namespace tapal::mailauth

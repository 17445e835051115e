#include "app/up/service_start.h"

#include <gtest/gtest.h>

namespace tapal::app {
namespace {

TEST(ServiceUnit, starts_what_it_was_told_as_a_user_of_its_own) {
  const ServiceFacts facts{"/usr/local/bin/tapal", "/etc/tapal", "/var/lib/tapal"};
  const auto unit = service_unit(facts);
  EXPECT_TRUE(unit.contains("\nExecStart=/usr/local/bin/tapal serve --config /etc/tapal\n"));
  EXPECT_TRUE(unit.contains("\nReadWritePaths=/etc/tapal /var/lib/tapal\n"));
  EXPECT_EQ(user_of_unit(unit), "tapal");
  EXPECT_TRUE(
      service_user_line(facts).ends_with("\nu tapal - \"tapal mail server\" /var/lib/tapal\n"));
}

TEST(ServiceUnit, of_others_tells_its_user) {
  EXPECT_EQ(user_of_unit("[Service]\nUser=mail\nExecStart=/usr/bin/tapal\nUserlike=x\n"), "mail");
  EXPECT_EQ(user_of_unit("[Service]\n#User=mail\nUserlike=1\n"), "");
  EXPECT_EQ(user_of_unit("User=a\nUser= b \n"), "b");
}

}  // namespace
}  // namespace tapal::app

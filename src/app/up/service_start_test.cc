#include "app/up/service_start.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "drivers/files/files.h"

namespace tapal::app {
namespace {

const ServiceFacts usual{"/usr/bin/tapal", "/etc/tapal", "/var/lib/tapal"};

TEST(ServiceUnit, in_the_usual_places_is_what_the_package_installs) {
  const auto shipped = [](std::string_view kind) {
    return files::read_file(fmt::format(TAPAL_SOURCE_FOLDER "/debian/tapal.{}", kind)).value();
  };
  EXPECT_EQ(service_unit(usual), shipped("service"));
  EXPECT_EQ(service_user(usual), shipped("sysusers"));
  EXPECT_EQ(service_folders(usual), shipped("tmpfiles"));
}

TEST(ServiceUnit, starts_what_it_was_told_as_a_user_of_its_own) {
  const ServiceFacts facts{"/usr/local/bin/tapal", "/srv/etc/tapal", "/srv/var/lib/tapal"};
  const auto unit = service_unit(facts);
  EXPECT_TRUE(unit.contains("\nExecStart=/usr/local/bin/tapal serve --config /srv/etc/tapal\n"));
  EXPECT_TRUE(unit.contains("\nConditionPathExists=/srv/etc/tapal/tapal.toml\n"));
  EXPECT_TRUE(unit.contains(
      "\nReadWritePaths=/srv/etc/tapal /srv/var/lib/tapal -/srv/var/lib/tapal/drop\n"));
  EXPECT_EQ(user_of_unit(unit), "tapal");
  EXPECT_TRUE(service_user(facts).ends_with(
      "\nu tapal - \"tapal mail server\" /srv/var/lib/tapal /usr/sbin/nologin\n"));
  EXPECT_TRUE(service_folders(facts).contains("\nd /srv/var/lib/tapal/drop 1733 tapal tapal -\n"));
}

TEST(ServiceUnit, of_others_tells_its_user) {
  EXPECT_EQ(user_of_unit("[Service]\nUser=mail\nExecStart=/usr/bin/tapal\nUserlike=x\n"), "mail");
  EXPECT_EQ(user_of_unit("[Service]\n#User=mail\nUserlike=1\n"), "");
  EXPECT_EQ(user_of_unit("User=a\nUser= b \n"), "b");
}

}  // namespace
}  // namespace tapal::app

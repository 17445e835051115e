#include "rules/shaping/providers.h"

namespace tapal::shaping {
namespace {

ProviderTable shipped_table() {
  auto table = read_providers("", "providers.toml");
  EXPECT_TRUE(table) << (table ? "" : table.error().what);
  return table ? *std::move(table) : ProviderTable{};
}

TEST(Providers, that_ship_can_be_read) {
  const ProviderTable table = shipped_table();
  EXPECT_GE(table.all().size(), 60U);
}

}  // namespace
}  // namespace tapal::shaping

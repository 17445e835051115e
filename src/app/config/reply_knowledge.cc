#include "app/config/reply_knowledge.h"

#include "drivers/files/files.h"

namespace tapal::app {
namespace {

constexpr std::size_t file_bytes_max = 1024UL * 1024;

Result<std::string> read_if_there(const std::filesystem::path& file) {
  auto text = files::read_file(file, file_bytes_max);
  if (!text && text.error().code == Code::not_found) return std::string();
  return text;
}

}  // namespace

Result<shaping::ProviderTable> load_providers(const std::filesystem::path& config_folder) {
  const auto file = config_folder / "providers.toml";
  TAPAL_TRY(const auto text, read_if_there(file));
  return shaping::read_providers(text, file.string());
}

Result<bounce::BounceRules> load_bounce_rules(const std::filesystem::path& config_folder) {
  const auto file = config_folder / "bounce-rules.toml";
  TAPAL_TRY(const auto text, read_if_there(file));
  return bounce::BounceRules::read(text, file.string());
}

}  // namespace tapal::app

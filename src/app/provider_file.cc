#include "app/provider_file.h"

#include <string>

#include "drivers/files/files.h"

namespace tapal::app {
namespace {

constexpr std::size_t bytes_max = 1U << 20U;

}  // namespace

Result<shaping::ProviderTable> load_providers(const std::filesystem::path& config_folder) {
  const auto path = config_folder / providers_file_name;
  const auto text = files::read_file(path, bytes_max);
  if (!text && text.error().code == Code::not_found)
    return shaping::read_providers({}, providers_file_name);
  if (!text) return std::unexpected(text.error());
  return shaping::read_providers(*text, path.string());
}

}  // namespace tapal::app

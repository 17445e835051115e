#include "drivers/dnsapi/credentials.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "values/text/ascii.h"

namespace tapal::dnsapi {
namespace {

// acme.sh writes SAVED_CF_Token='...'.
constexpr std::string_view saved_prefix = "SAVED_";
constexpr std::string_view export_prefix = "export ";

const CredentialField* field_of(const Provider& provider, std::string_view name) {
  if (name.starts_with(saved_prefix)) name.remove_prefix(saved_prefix.size());
  const auto is_it = [name](std::string_view known) {
    return text::equals_ignoring_case(known, name);
  };
  const auto found = std::ranges::find_if(provider.fields, [&is_it](const CredentialField& field) {
    return is_it(field.name) || std::ranges::any_of(field.environment, is_it);
  });
  return found == provider.fields.end() ? nullptr : &*found;
}

// Without its quotes, and without a comment behind them. Nothing: a quote has no end.
std::optional<std::string_view> value_of(std::string_view text) {
  const bool is_quoted = text.starts_with('"') || text.starts_with('\'');
  if (!is_quoted) return text::trim(text.substr(0, text.find(" #")));
  const std::size_t end = text.find(text.front(), 1);
  if (end == text.npos) return std::nullopt;
  return text.substr(1, end - 1);
}

const CredentialField* only_secret(const Provider& provider) {
  const CredentialField* only = nullptr;
  for (const auto& field : provider.fields) {
    if (!field.required) continue;
    if (only != nullptr || field.kind != CredentialField::Kind::secret) return nullptr;
    only = &field;
  }
  return only;
}

bool is_one_word(std::string_view text) {
  return !text.empty() && text.find_first_of(" \t\r\n") == text.npos;
}

}  // namespace

Result<Credentials> read_credentials(const Provider& provider, std::string_view text) {
  Credentials credentials;
  std::size_t number = 0;
  for (auto line : text::split(text, '\n')) {
    ++number;
    line = text::trim(line);
    if (line.starts_with(export_prefix)) line = text::trim(line.substr(export_prefix.size()));
    if (line.empty() || line.starts_with('#') || line.starts_with('[')) continue;
    const std::size_t equals = line.find('=');
    if (equals == line.npos) continue;
    const auto* field = field_of(provider, text::trim(line.substr(0, equals)));
    if (field == nullptr) continue;
    const auto value = value_of(text::trim(line.substr(equals + 1)));
    if (!value) return fail(Code::invalid, fmt::format("line {}: a quote has no end", number));
    credentials[std::string(field->name)] = *value;
  }
  const auto* only = only_secret(provider);
  if (credentials.empty() && only != nullptr && is_one_word(text::trim(text)))
    credentials[std::string(only->name)] = text::trim(text);
  if (credentials.empty()) {
    std::string names;
    for (const auto& field : provider.fields)
      names += fmt::format("{}{} = ...", names.empty() ? "" : ", ", field.name);
    return fail(
        Code::invalid,
        fmt::format("nothing in it is a credential of {}: expected {}", provider.title, names));
  }
  return credentials;
}

}  // namespace tapal::dnsapi

#include "protocols/sasl/scram.h"

#include <algorithm>

#include "values/text/ascii.h"

namespace tapal::sasl {
namespace {

constexpr std::size_t attributes_max = 16;

// Takes the text before the next comma off, and the comma.
std::optional<std::string_view> take_part(std::string_view& text) {
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos) return {};
  const std::string_view part = text.substr(0, comma);
  text.remove_prefix(comma + 1);
  return part;
}

bool parse_binding(std::string_view part, ClientFirst& into) {
  using Binding = ClientFirst::Binding;
  if (part == "n") {
    into.binding = Binding::unsupported;
  } else if (part == "y") {
    into.binding = Binding::server_lacks_it;
  } else if (part.starts_with("p=") && part.size() > 2) {
    into.binding = Binding::used;
    into.binding_name = part.substr(2);
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::optional<Attributes> parse_attributes(std::string_view text) {
  Attributes all;
  for (const std::string_view part : text::split(text, ',')) {
    if (part.size() < 2 || !text::is_alpha(part[0]) || part[1] != '=') return {};
    if (all.size() == attributes_max) return {};
    all.emplace_back(part[0], part.substr(2));
  }
  return all;
}

std::optional<std::string_view> attribute(const Attributes& all, std::size_t index, char name) {
  if (index >= all.size() || all[index].first != name) return {};
  return all[index].second;
}

std::string encode_saslname(std::string_view name) {
  std::string encoded;
  encoded.reserve(name.size());
  for (const char c : name) {
    if (c == ',') {
      encoded += "=2C";
    } else if (c == '=') {
      encoded += "=3D";
    } else {
      encoded += c;
    }
  }
  return encoded;
}

std::optional<std::string> decode_saslname(std::string_view text) {
  std::string name;
  name.reserve(text.size());
  while (!text.empty()) {
    if (text.starts_with("=2C") || text.starts_with("=3D")) {
      name += text[1] == '2' ? ',' : '=';
      text.remove_prefix(3);
    } else if (text.front() == '=' || text.front() == ',') {
      return {};
    } else {
      name += text.front();
      text.remove_prefix(1);
    }
  }
  return name;
}

bool is_nonce(std::string_view text) {
  return !text.empty() && text.size() <= scram_nonce_bytes_max &&
         std::all_of(
             text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F && c != ','; });
}

std::optional<ClientFirst> parse_client_first(std::string_view message) {
  ClientFirst first;
  std::string_view rest = message;
  const auto binding = take_part(rest);
  if (!binding || !parse_binding(*binding, first)) return {};
  const auto authorized_as = take_part(rest);
  if (!authorized_as) return {};
  if (!authorized_as->empty()) {
    if (!authorized_as->starts_with("a=")) return {};
    auto name = decode_saslname(authorized_as->substr(2));
    if (!name || name->empty()) return {};
    first.authorized_as = *std::move(name);
  }
  first.gs2_header = message.substr(0, message.size() - rest.size());
  first.bare = rest;
  // A first attribute "m" is a mandatory extension, and we know none (RFC 5802 section 5.1).
  const auto attributes = parse_attributes(rest);
  if (!attributes) return {};
  const auto user = attribute(*attributes, 0, 'n');
  const auto nonce = attribute(*attributes, 1, 'r');
  if (!user || !nonce || !is_nonce(*nonce)) return {};
  auto name = decode_saslname(*user);
  if (!name) return {};
  first.user = *std::move(name);
  first.nonce = *nonce;
  return first;
}

std::string_view binding_data(const ChannelBindings& bindings, std::string_view name) {
  if (name == tls_exporter_name) return bindings.tls_exporter;
  if (name == tls_server_end_point_name) return bindings.tls_server_end_point;
  return {};
}

crypto::Digest exclusive_or(const crypto::Digest& a, const crypto::Digest& b) {
  crypto::Digest out{};
  for (std::size_t at = 0; at < out.size(); ++at)
    out[at] = static_cast<std::uint8_t>(a[at] ^ b[at]);
  return out;
}

}  // namespace tapal::sasl

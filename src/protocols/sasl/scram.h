// The messages of SCRAM-SHA-256 and their arithmetic, shared by both sides (RFC 5802, RFC 7677).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocols/sasl/mechanism.h"
#include "values/crypto/hash.h"

namespace tapal::sasl {

inline constexpr std::size_t scram_nonce_bytes_max = 512;

// "r=…,s=…,i=…": attributes are one letter and a value without commas, in a fixed order.
// Nothing when the form is broken.
using Attributes = std::vector<std::pair<char, std::string_view>>;
std::optional<Attributes> parse_attributes(std::string_view text);
// The value at `index` when its letter is `name`.
std::optional<std::string_view> attribute(const Attributes& all, std::size_t index, char name);

std::string encode_saslname(std::string_view name);  // "," and "=" become =2C and =3D
std::optional<std::string> decode_saslname(std::string_view text);

bool is_nonce(std::string_view text);  // printable, no comma, within the limit

// client-first-message, RFC 5802 section 7.
struct ClientFirst {
  enum class Binding : char { unsupported = 'n', server_lacks_it = 'y', used = 'p' };
  Binding binding = Binding::unsupported;
  std::string binding_name;   // with Binding::used
  std::string authorized_as;  // "a=", decoded; or empty
  std::string user;           // decoded
  std::string nonce;
  std::string gs2_header;  // as sent, with its last comma
  std::string bare;        // as sent, without the gs2 header
};
std::optional<ClientFirst> parse_client_first(std::string_view message);

// The data for the name of a channel binding type; empty when the connection has none such.
std::string_view binding_data(const ChannelBindings& bindings, std::string_view name);
inline constexpr std::string_view tls_exporter_name = "tls-exporter";
inline constexpr std::string_view tls_server_end_point_name = "tls-server-end-point";

// ClientSignature XOR ClientKey: gives the proof from the key, and the key from the proof.
crypto::Digest exclusive_or(const crypto::Digest& a, const crypto::Digest& b);

}  // namespace tapal::sasl

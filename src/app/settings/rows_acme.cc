// Certificates that tapal gets by itself.
#include "app/settings/binding.h"
#include "app/settings/rows.h"
#include "protocols/acme/authorities.h"
#include "values/http/url.h"
#include "values/text/idna.h"

namespace tapal::app {
namespace {

using namespace binding;

// A name that a certificate can have, as A-labels.
struct CertificateName : Text {
  static constexpr std::string_view
      kind = "host name or wildcard",
      expected = "a host name such as \"mail.example.org\" or \"*.example.org\"";
  static std::optional<Value> read(const TomlScalar& scalar) {
    auto text = Text::read(scalar);
    if (!text) return {};
    const bool is_wildcard = text->starts_with("*.");
    const auto host = text::domain_to_ascii(text->substr(is_wildcard ? 2 : 0));
    if (!host) return {};
    return (is_wildcard ? "*." : "") + *host;
  }
};

struct Authority : Text {
  static constexpr std::string_view
      kind = "certificate authority",
      expected =
          "\"letsencrypt\", \"letsencrypt-staging\", \"zerossl\", \"google\", \"google-staging\", "
          "\"ssl.com\", \"actalis\" or the URL of a directory";
  static std::optional<Value> read(const TomlScalar& scalar) {
    auto text = Text::read(scalar);
    if (!text) return {};
    const auto url = http::parse_url(acme::directory_url_of(*text));
    if (!url || url->scheme == http::Url::Scheme::http_unix) return {};
    return text;
  }
};

struct Challenge {
  using Value = acme::ChallengeKind;
  static constexpr std::string_view
      kind = "challenge",
      expected = "\"http-01\", \"tls-alpn-01\", \"dns-01\" or \"dns-persist-01\"";
  static std::optional<Value> read(const TomlScalar& scalar) {
    const auto text = Text::read(scalar);
    return text ? acme::challenge_kind_from_text(*text) : std::nullopt;
  }
  static std::string print(Value value) { return toml_quoted(acme::challenge_kind_text(value)); }
};

constexpr SettingRow acme_table[] = {
    {"acme.directory",
     field<Authority, TAPAL_FIELD(acme.directory)>(),
     {},
     "Who issues certificates: letsencrypt, letsencrypt-staging, zerossl, google, google-staging, "
     "ssl.com, actalis, or the URL of a directory. Ordering one means agreeing to its terms."},
    {"acme.names",
     list<CertificateName, TAPAL_FIELD(acme.names)>(),
     {},
     "The names of a certificate that the server gets by itself; the first names its folder in "
     "certs/. Others come by `tapal cert issue`.",
     "",
     "\"mail.example.org\", \"mta-sts.example.org\""},
    {"acme.contact",
     field<Text, TAPAL_FIELD(acme.contact)>(),
     {},
     "The address that the authority may write to; not every one does.",
     "",
     "\"postmaster@example.org\""},
    {"acme.profile",
     field<Text, TAPAL_FIELD(acme.profile)>(),
     {},
     "Which of the authority's profiles; none: its usual one.",
     "",
     "\"shortlived\""},
    {"acme.challenges",
     list<Challenge, TAPAL_FIELD(acme.challenges)>(),
     {},
     "How names are proven to be ours, the preferred way first: http-01 needs listen.http at port "
     "80, tls-alpn-01 listen.https at port 443, dns-01 an account in [dns]; wildcards take dns-01 "
     "or "
     "dns-persist-01.",
     "",
     "\"tls-alpn-01\", \"dns-01\""},
    {"acme.external_account_id",
     field<Text, TAPAL_FIELD(acme.external_account_id)>(),
     {},
     "Who we are to an authority that knows its customers, as its web site shows it.",
     "",
     "\"kid-1\""},
    {"acme.external_account_key_file",
     field<File, TAPAL_FIELD(acme.external_account_key_file)>(),
     {},
     "The key that goes with it, in base64url; only its owner may read the file.",
     "",
     "\"acme/external.key\""},
    {"acme.trusted_ca_file",
     field<File, TAPAL_FIELD(acme.trusted_ca_file)>(),
     {},
     "PEM certificates that the authority's own web server is checked against.",
     "tls.trusted_ca_file, else the system's",
     "\"/etc/tapal/private-ca.pem\""},
};

}  // namespace

std::span<const SettingRow> acme_rows() { return acme_table; }

}  // namespace tapal::app

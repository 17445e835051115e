#include "protocols/smtp/parameters.h"

#include <array>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "protocols/smtp/xtext.h"
#include "values/text/ascii.h"
#include "values/text/utf8.h"

namespace tapal::smtp {
namespace {

constexpr std::size_t parameters_max = 16;
constexpr std::size_t envelope_id_bytes_max = 100;         // RFC 3461 section 4.4
constexpr std::size_t original_recipient_bytes_max = 500;  // RFC 3461 section 4.2

using Refusal = std::optional<Reply>;

struct Parameter {
  std::string_view keyword;
  std::optional<std::string_view> value;
};

Reply refuse(std::string_view text) { return make_reply(501, "5.5.4", text); }

bool is_keyword(std::string_view text) {
  if (text.empty() || !text::is_alnum(text.front())) return false;
  for (const char c : text)
    if (!text::is_alnum(c) && c != '-') return false;
  return true;
}

// esmtp-value, with the UTF-8 that RFC 6531 section 3.3 adds.
bool is_value(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte == '=' || byte == 0x7F) return false;
  }
  return true;
}

std::expected<std::vector<Parameter>, Reply> split_parameters(std::string_view text) {
  std::vector<Parameter> all;
  for (const std::string_view word : text::split(text, ' ')) {
    if (word.empty()) continue;  // doubled and trailing spaces are common and harmless
    if (all.size() == parameters_max)
      return std::unexpected(refuse(fmt::format("More than {} parameters", parameters_max)));
    const std::size_t equals = word.find('=');
    Parameter parameter{word.substr(0, equals), {}};
    if (equals != std::string_view::npos) parameter.value = word.substr(equals + 1);
    if (!is_keyword(parameter.keyword) || (parameter.value && !is_value(*parameter.value)))
      return std::unexpected(refuse(fmt::format("'{}' is no parameter (RFC 5321 section 4.1.2)",
                                                text::printable(word, 100))));
    for (const Parameter& other : all)
      if (text::equals_ignoring_case(other.keyword, parameter.keyword))
        return std::unexpected(refuse(
            fmt::format("The parameter {} is given twice", text::to_upper(parameter.keyword))));
    all.push_back(parameter);
  }
  return all;
}

enum class Value : std::uint8_t { none, needed };

template <class Target>
struct Row {
  std::string_view keyword;
  Extension extension{};
  Value value = Value::none;
  Refusal (*apply)(std::string_view value, Target& into) = nullptr;
};

template <class Target>
Refusal apply_all(std::string_view text,
                  std::span<const Row<Target>> rows,
                  Extensions offered,
                  Target& into) {
  auto parameters = split_parameters(text);
  if (!parameters) return std::move(parameters).error();
  for (const Parameter& parameter : *parameters) {
    const Row<Target>* found = nullptr;
    for (const Row<Target>& row : rows)
      if (text::equals_ignoring_case(row.keyword, parameter.keyword)) found = &row;
    if (found == nullptr || !offered.has(found->extension))
      return make_reply(555,
                        "5.5.4",
                        fmt::format("The parameter {} is not offered here; EHLO lists what is "
                                    "(RFC 5321 section 4.1.1.11)",
                                    text::to_upper(parameter.keyword.substr(0, 40))));
    if (parameter.value.has_value() != (found->value == Value::needed))
      return refuse(fmt::format("The parameter {} {} value ({})",
                                found->keyword,
                                found->value == Value::needed ? "needs a" : "takes no",
                                row_of(found->extension).specification));
    if (auto refusal = found->apply(parameter.value.value_or(""), into)) return refusal;
  }
  return {};
}

struct MailTarget {
  MailCommand& command;
  Extensions offered;
};

Refusal apply_size(std::string_view value, MailTarget& into) {
  if (value.size() > 20 || value.find_first_not_of("0123456789") != std::string_view::npos)
    return refuse("SIZE wants a number of at most 20 digits (RFC 1870 section 3)");
  into.command.declared_bytes =
      text::to_number<std::uint64_t>(value).value_or(std::numeric_limits<std::uint64_t>::max());
  return {};
}

Refusal apply_body(std::string_view value, MailTarget& into) {
  if (text::equals_ignoring_case(value, "7BIT")) {
    into.command.envelope.body = mail::BodyType::seven_bit;
  } else if (text::equals_ignoring_case(value, "8BITMIME")) {
    into.command.envelope.body = mail::BodyType::eight_bit_mime;
  } else if (text::equals_ignoring_case(value, "BINARYMIME") &&
             into.offered.has(Extension::binary_mime)) {
    into.command.envelope.body = mail::BodyType::binary_mime;
  } else {
    return refuse("BODY wants 7BIT, 8BITMIME or BINARYMIME (RFC 6152 section 2, RFC 3030)");
  }
  return {};
}

Refusal apply_smtputf8(std::string_view /*value*/, MailTarget& into) {
  into.command.envelope.smtputf8 = true;
  return {};
}

Refusal apply_ret(std::string_view value, MailTarget& into) {
  if (text::equals_ignoring_case(value, "FULL")) {
    into.command.envelope.return_content = mail::ReturnContent::full;
  } else if (text::equals_ignoring_case(value, "HDRS")) {
    into.command.envelope.return_content = mail::ReturnContent::headers;
  } else {
    return refuse("RET wants FULL or HDRS (RFC 3461 section 4.3)");
  }
  return {};
}

Refusal apply_envid(std::string_view value, MailTarget& into) {
  auto decoded = decode_xtext(value);
  if (!decoded || value.size() > envelope_id_bytes_max || !text::is_ascii(*decoded))
    return refuse("ENVID wants xtext of at most 100 characters (RFC 3461 section 4.4)");
  into.command.envelope.envelope_id = *std::move(decoded);
  return {};
}

Refusal apply_require_tls(std::string_view /*value*/, MailTarget& into) {
  into.command.envelope.require_tls = true;
  return {};
}

Refusal apply_auth(std::string_view value, MailTarget& into) {
  auto decoded = decode_xtext(value);
  if (decoded && *decoded != "<>" && !mail::parse_address(*decoded)) decoded.reset();
  if (!decoded) return refuse("AUTH wants an address as xtext, or <> (RFC 4954 section 5)");
  into.command.authorized_as = *decoded == "<>" ? std::string() : *std::move(decoded);
  return {};
}

constexpr std::array mail_rows = {
    Row<MailTarget>{"SIZE", Extension::size, Value::needed, apply_size},
    Row<MailTarget>{"BODY", Extension::eight_bit_mime, Value::needed, apply_body},
    Row<MailTarget>{"SMTPUTF8", Extension::smtputf8, Value::none, apply_smtputf8},
    Row<MailTarget>{"RET", Extension::dsn, Value::needed, apply_ret},
    Row<MailTarget>{"ENVID", Extension::dsn, Value::needed, apply_envid},
    Row<MailTarget>{"REQUIRETLS", Extension::require_tls, Value::none, apply_require_tls},
    Row<MailTarget>{"AUTH", Extension::auth, Value::needed, apply_auth},
};

struct RcptTarget {
  mail::Recipient& recipient;
  const RcptContext& context;
};

Refusal apply_notify(std::string_view value, RcptTarget& into) {
  const auto bad = [] {
    return refuse(
        "NOTIFY wants NEVER alone, or SUCCESS, FAILURE, DELAY with commas "
        "(RFC 3461 section 4.1)");
  };
  mail::Notify notify;
  for (const std::string_view word : text::split(value, ',')) {
    bool* flag = nullptr;
    if (text::equals_ignoring_case(word, "NEVER")) flag = &notify.never;
    if (text::equals_ignoring_case(word, "SUCCESS")) flag = &notify.success;
    if (text::equals_ignoring_case(word, "FAILURE")) flag = &notify.failure;
    if (text::equals_ignoring_case(word, "DELAY")) flag = &notify.delay;
    if (flag == nullptr) return bad();
    *flag = true;
  }
  if (notify.never && (notify.success || notify.failure || notify.delay)) return bad();
  into.recipient.notify = notify;
  return {};
}

Refusal apply_orcpt(std::string_view value, RcptTarget& into) {
  const std::size_t semicolon = value.find(';');
  const std::string_view type = value.substr(0, semicolon);
  std::optional<std::string> address;
  if (semicolon != std::string_view::npos && is_keyword(type) &&
      value.size() <= original_recipient_bytes_max) {
    const std::string_view rest = value.substr(semicolon + 1);
    const bool is_utf8 = text::equals_ignoring_case(type, "utf-8");
    // Raw UTF-8 is for SMTPUTF8 transactions only (RFC 6533 section 3).
    if (is_utf8 && (into.context.smtputf8 || text::is_ascii(rest)))
      address = decode_utf8_address(rest);
    if (!is_utf8) address = decode_xtext(rest);
  }
  if (!address || address->empty() || !text::is_valid_utf8(*address))
    return refuse(
        "ORCPT wants a type, ';' and the address as xtext, at most 500 characters "
        "(RFC 3461 section 4.2, RFC 6533 section 3)");
  into.recipient.original = fmt::format("{};{}", type, *address);
  return {};
}

constexpr std::array rcpt_rows = {
    Row<RcptTarget>{"NOTIFY", Extension::dsn, Value::needed, apply_notify},
    Row<RcptTarget>{"ORCPT", Extension::dsn, Value::needed, apply_orcpt},
};

}  // namespace

std::optional<Reply> apply_mail_parameters(std::string_view text,
                                           Extensions offered,
                                           MailCommand& into) {
  MailTarget target{into, offered};
  return apply_all<MailTarget>(text, mail_rows, offered, target);
}

std::optional<Reply> apply_rcpt_parameters(std::string_view text,
                                           const RcptContext& context,
                                           mail::Recipient& into) {
  RcptTarget target{into, context};
  return apply_all<RcptTarget>(text, rcpt_rows, context.offered, target);
}

}  // namespace tapal::smtp

#include "services/judge/rspamd.h"

#include <algorithm>
#include <tuple>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "values/mail/encoded_word.h"
#include "values/mail/grammar.h"
#include "values/text/ascii.h"
#include "values/text/json_fields.h"
#include "values/text/utf8.h"

namespace tapal::judge {
namespace {

namespace json = boost::json;
using Kind = mail::HeaderEdit::Kind;

constexpr std::size_t symbols_told_max = 10;
constexpr std::size_t response_bytes_max = 1024UL * 1024;
constexpr std::size_t json_depth_max = 32;
constexpr std::string_view socket_scheme = "http+unix://";

std::string text_of(const json::value& value) {
  const auto* text = value.if_string();
  return text != nullptr ? std::string(text->data(), text->size()) : std::string();
}

double number_at(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) return 0;
  return value->is_double()  ? value->get_double()
         : value->is_int64() ? static_cast<double>(value->get_int64())
                             : static_cast<double>(value->get_uint64());
}

// The place in "add_headers" is counted from the top; a negative one, or none, means below all.
void add_field(const std::string& name,
               const json::value& what,
               std::vector<mail::HeaderEdit>& edits) {
  if (const auto* several = what.if_array()) {
    for (const auto& one : *several) add_field(name, one, edits);
    return;
  }
  mail::HeaderEdit edit{Kind::append, name, {}, 0};
  if (const auto* object = what.if_object()) {
    edit.body = " " + text::text_at(*object, "value");
    const double order = object->contains("order") ? number_at(*object, "order") : -1;
    if (order >= 0 && order < 10'000) {
      edit.kind = Kind::insert;
      edit.place = static_cast<std::int32_t>(order);
    }
  } else {
    edit.body = " " + text_of(what);
  }
  edits.push_back(std::move(edit));
}

void remove_field(const std::string& name,
                  const json::value& which,
                  std::vector<mail::HeaderEdit>& edits) {
  if (const auto* several = which.if_array()) {
    for (const auto& one : *several) remove_field(name, one, edits);
    return;
  }
  const auto* place = which.if_int64();
  const bool is_place = place != nullptr && *place > -10'000 && *place < 10'000;
  edits.push_back({Kind::remove, name, {}, is_place ? static_cast<std::int32_t>(*place) : 0});
}

// Names that cannot be are left out: one odd rule must not cost the whole answer.
std::vector<mail::HeaderEdit> edits_of(const json::object& milter) {
  std::vector<mail::HeaderEdit> edits;
  if (const auto* removed = text::object_at(milter, "remove_headers"))
    for (const auto& [name, which] : *removed) remove_field(name, which, edits);
  if (const auto* added = text::object_at(milter, "add_headers"))
    for (const auto& [name, what] : *added) add_field(name, what, edits);
  std::erase_if(edits, [](const auto& edit) { return !mail::is_field_name(edit.name); });
  return edits;
}

// "15.20 of 15.00: BAYES_SPAM, URIBL_BLACK", the heaviest first.
std::string reason_of(const json::object& answer) {
  struct Symbol {
    double score = 0;
    std::string name;
  };
  std::vector<Symbol> symbols;
  if (const auto* all = text::object_at(answer, "symbols"))
    for (const auto& [name, symbol] : *all)
      if (const auto* object = symbol.if_object())
        symbols.push_back({number_at(*object, "score"), name});
  std::ranges::sort(symbols, [](const Symbol& a, const Symbol& b) {
    return std::tie(b.score, a.name) < std::tie(a.score, b.name);
  });
  auto reason = fmt::format(
      "score {:.2f} of {:.2f}", number_at(answer, "score"), number_at(answer, "required_score"));
  for (std::size_t i = 0; i < std::min(symbols.size(), symbols_told_max); ++i) {
    if (symbols[i].score <= 0) break;
    reason += (i == 0 ? ": " : ", ") + symbols[i].name;
  }
  return text::printable(reason);
}

void decide(const json::object& answer, Opinion& opinion) {
  const auto action = text::text_at(answer, "action");
  const auto* messages = text::object_at(answer, "messages");
  const auto said = messages != nullptr ? text::text_at(*messages, "smtp_message") : std::string();
  const auto reply = [&said](int code, std::string_view status, std::string_view usual) {
    return smtp::make_reply(
        code, status, said.empty() ? usual : text::printable(said, reply_bytes_max));
  };
  if (action == "reject") {
    opinion.action = Action::refuse;
    opinion.reply = reply(554, "5.7.1", "this message looks like spam");
  } else if (action == "soft reject") {
    opinion.action = Action::defer;
    opinion.reply = reply(451, "4.7.1", "try again later");
  } else if (action == "discard") {
    opinion.action = Action::discard;
  } else if (action == "add header" || action == "rewrite subject" || action == "quarantine") {
    opinion.action = Action::keep_aside;
  }
  if (action == "add header") opinion.edits.push_back({Kind::append, "X-Spam", " Yes", 0});
  if (const auto subject = text::text_at(answer, "subject");
      action == "rewrite subject" && !subject.empty())
    opinion.edits.push_back(
        {Kind::replace, "Subject", " " + mail::encode_unstructured(subject), 1});
}

}  // namespace

HttpRequest rspamd_request(const Mail& mail, const RspamdOptions& options) {
  HttpRequest request;
  request.method = "POST";
  request.url = options.url;
  while (request.url.ends_with('/')) request.url.pop_back();
  const bool is_bare_socket =
      request.url.starts_with(socket_scheme) && request.url.rfind(':') < socket_scheme.size();
  request.url += is_bare_socket ? ":/checkv2" : "/checkv2";
  const auto add = [&request](std::string_view name, std::string value) {
    if (value.empty()) return;
    for (char& c : value)
      if (mail::is_control_char(c)) c = '?';
    request.headers.push_back({std::string(name), std::move(value)});
  };
  add("IP", mail.peer.text());
  add("Helo", mail.helo);
  add("Hostname", mail.peer_name);
  add("From", fmt::format("<{}>", mail.return_path ? mail.return_path->text() : ""));
  for (const auto& recipient : mail.recipients) add("Rcpt", fmt::format("<{}>", recipient.text()));
  add("Queue-Id", mail.id.text());
  add("User", mail.user);
  add("TLS-Version", mail.tls_version);
  add("TLS-Cipher", mail.tls_cipher);
  add("MTA-Name", options.host_name);
  add("Flags", "milter");  // so that it tells which header fields it would change
  request.body = mail.header + "\r\n";
  request.more = mail.body;
  request.time_max = options.time_max;
  request.connection = HttpRequest::Connection::kept;
  request.response_bytes_max = response_bytes_max;
  return request;
}

Result<Opinion> rspamd_opinion(const http::Response& response) {
  if (response.status != 200)
    return fail(
        Code::internal,
        fmt::format("it answers {}: {}", response.status, text::printable(response.body, 200)));
  const auto answer = text::parse_object(response.body, json_depth_max);
  if (!answer || text::text_at(*answer, "action").empty())
    return fail(Code::internal, "its answer is not the JSON of /checkv2");
  Opinion opinion;
  opinion.score = number_at(*answer, "score");
  opinion.reason = reason_of(*answer);
  decide(*answer, opinion);
  if (const auto* milter = text::object_at(*answer, "milter")) {
    auto edits = edits_of(*milter);
    opinion.edits.insert(opinion.edits.begin(), edits.begin(), edits.end());
  }
  return opinion;
}

Task<Result<Opinion>> Rspamd::look_at(const Mail& mail) {
  TAPAL_CO_TRY(const auto response, co_await http_.send(loop_, rspamd_request(mail, options_)));
  co_return rspamd_opinion(response);
}

}  // namespace tapal::judge

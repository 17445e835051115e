#include "app/gmail/wait.h"

#include <cstdio>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/cli/control_client.h"
#include "app/gmail/setup.h"
#include "app/mail/app_passwords.h"
#include "app/settings/settings.h"
#include "drivers/system/clock.h"
#include "values/text/base64.h"
#include "values/text/json_fields.h"

namespace tapal::app {
namespace {

namespace json = boost::json;

// A confirmation as the server saw it, and whose it is.
struct Confirmation {
  std::string id;
  std::string kind;
  std::string code;
  std::string link;
  OriginFinding origin;
};

void tell_confirmation(const CommonOptions& common, const Confirmation& seen) {
  if (common.output == Output::json) {
    json::object answer{{"queue_id", seen.id},
                        {"kind", seen.kind},
                        {"code", seen.code},
                        {"link", seen.link},
                        {"signed_by_google", nullptr},
                        {"reason", seen.origin.reason}};
    if (seen.origin.origin != Origin::unknown)
      answer["signed_by_google"] = seen.origin.origin == Origin::google;
    print_json({{"confirmation", std::move(answer)}});
    return;
  }
  if (seen.origin.origin == Origin::somebody_else) {
    fmt::print("Ignored: a message ({}) that says it is Gmail's confirmation and is not, {}.\n",
               seen.id,
               seen.origin.reason);
    return;
  }
  fmt::print("Gmail's confirmation ({}) has come, message {}.\n", seen.kind, seen.id);
  if (!seen.code.empty()) fmt::print("  Code  {}\n", seen.code);
  if (!seen.link.empty()) fmt::print("  Link  {}\n", seen.link);
  if (seen.origin.origin == Origin::google)
    fmt::print("  It is signed by google.com.\n");
  else
    fmt::print(
        "  Whether it is Gmail's own could not be found out ({}): use it only if you have "
        "asked for it just now.\n",
        seen.origin.reason);
}

}  // namespace

int wait_for_confirmation(const CommonOptions& common,
                          const mail::Address& address,
                          std::chrono::seconds wait) {
  const auto settings = load_settings(common.config);
  if (!settings) return tell(settings.error());
  const auto end = SystemClock().now() + wait;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::seconds>(end - SystemClock().now());
    if (left <= std::chrono::seconds(0)) break;
    const json::object request{
        {"command", "watch"}, {"address", address.text()}, {"seconds", left.count()}};
    const auto answer =
        ask_server(settings->control_socket(), json::serialize(request), left + control_patience);
    if (!answer) {
      tell(answer.error());
      return answer.error().code == Code::not_found ? exit_no_server : exit_failed;
    }
    const auto object = json::parse(*answer).as_object();
    if (!object.at("ok").as_bool())
      return tell(Error{Code::denied, text::text_at(object, "error")});
    if (object.at("confirmation").is_null()) continue;
    const auto& seen = object.at("confirmation").as_object();
    const auto message = text::from_base64(text::text_at(seen, "message")).value_or("");
    const Confirmation confirmation{text::text_at(seen, "queue_id"),
                                    text::text_at(seen, "kind"),
                                    text::text_at(seen, "code"),
                                    text::text_at(seen, "link"),
                                    judge_origin(message, settings->resolver)};
    tell_confirmation(common, confirmation);
    std::fflush(stdout);
    if (confirmation.origin.origin != Origin::somebody_else) return exit_done;
  }
  if (common.output == Output::json)
    print_json({{"confirmation", nullptr}});
  else
    fmt::print(
        "It has not come. Gmail sends it again when asked (\"Resend email\" beside the "
        "address); `tapal gmail {}{}` waits once more.\n",
        address.text(),
        config_words(common));
  return exit_failed;
}

}  // namespace tapal::app

#include "protocols/mailauth/dmarc_result.h"

#include <algorithm>
#include <tuple>

namespace tapal::mailauth {
namespace {

int gravity(DmarcVerdict verdict) {
  switch (verdict) {
    case DmarcVerdict::pass: return 0;
    case DmarcVerdict::none: return 1;
    case DmarcVerdict::permerror: return 2;
    case DmarcVerdict::temperror: return 3;
    case DmarcVerdict::fail: return 4;
  }
  return 4;
}

}  // namespace

std::string_view dmarc_verdict_text(DmarcVerdict verdict) {
  switch (verdict) {
    case DmarcVerdict::none: return "none";
    case DmarcVerdict::pass: return "pass";
    case DmarcVerdict::fail: return "fail";
    case DmarcVerdict::temperror: return "temperror";
    case DmarcVerdict::permerror: return "permerror";
  }
  return "permerror";
}

const DmarcResult& strictest(const std::vector<DmarcResult>& results) {
  return *std::ranges::max_element(results, {}, [](const DmarcResult& result) {
    return std::tuple(result.disposition, gravity(result.verdict));
  });
}

AuthMethod auth_method(const DmarcResult& result) {
  AuthMethod method{.method = "dmarc", .result = std::string(dmarc_verdict_text(result.verdict))};
  if (result.verdict != DmarcVerdict::pass) method.reason = result.reason;
  if (!result.author_domain.empty())
    method.properties.push_back({"header", "from", result.author_domain});
  if (result.found_at != DmarcResult::FoundAt::nowhere)
    method.properties.push_back({"policy", "dmarc", std::string(dmarc_policy_text(result.policy))});
  return method;
}

}  // namespace tapal::mailauth

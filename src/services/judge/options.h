// What configuration says about judging.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "protocols/milter/session.h"
#include "services/judge/dnsbl.h"
#include "services/judge/greylist_memory.h"
#include "services/judge/hook.h"
#include "services/judge/judge.h"
#include "services/judge/milter_filter.h"

namespace tapal::judge {

struct Options {
  std::string host_name;

  std::vector<DnsblZone> dnsbl;
  int dnsbl_threshold = 1;  // the zones' weights that add up to a refusal

  bool greylist_on = false;
  GreylistTimes greylist;

  std::vector<MilterPlace> milters;  // asked in this order
  milter::Options milter;
  WhenDown milters_when_down = WhenDown::defer;

  std::string rspamd;  // the normal worker's URL, "http://127.0.0.1:11333"; empty: none
  std::chrono::seconds rspamd_time_max{30};
  WhenDown rspamd_when_down = WhenDown::accept;

  std::vector<HookCommand> hooks;
  std::chrono::seconds hook_time_max{60};
  WhenDown hooks_when_down = WhenDown::defer;
};

}  // namespace tapal::judge

// What accounts of web APIs have in common: finding the zone, refusing what cannot be kept before
// anything is written, and getting from what is there to what is wanted. A provider keeps either
// whole record sets (SetAccount) or single records with an id each (RecordAccount).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "drivers/dnsapi/api_client.h"
#include "drivers/dnsapi/record_forms.h"
#include "ports/dns_account.h"
#include "values/dns/record_set.h"

namespace tapal::dnsapi {

struct Zone {
  std::string name;  // canonical
  std::string id;    // the provider's; its name where there is no other
};

struct Place {
  Zone zone;
  std::string name;
  dns::Type type = dns::Type::a;
  // "www" of "www.example.com" in "example.com".
  std::string relative(std::string_view apex = "@") const {
    return relative_name(name, zone.name, apex);
  }
};

// Calls follow each other on one loop.
class WebAccount : public DnsAccount {
 public:
  WebAccount(ApiClient api, DnsAccountLimits limits)
      : api_(std::move(api)), limits_(std::move(limits)) {}

  const DnsAccountLimits& limits() const final { return limits_; }
  Task<Result<std::string>> find_zone(Loop& loop, std::string name) final;
  Task<Result<dns::RecordSet>> read(Loop& loop,
                                    std::string zone,
                                    std::string name,
                                    dns::Type type) final;
  Task<Result<void>> write(Loop& loop, std::string zone, std::vector<dns::RecordSet> sets) final;

 protected:
  // The account's zone of exactly this name. Error not_found: there is none.
  virtual Task<Result<Zone>> look_up_zone(Loop& loop, std::string name) = 0;
  virtual Task<Result<dns::RecordSet>> read_set(Loop& loop, Place place) = 0;
  // The TTL that the provider makes of this one, which is not under its least.
  virtual std::chrono::seconds ttl_kept_for(std::chrono::seconds ttl) const { return ttl; }
  // Sets that passed check_sets(), with a TTL that the provider keeps, in an order in which
  // they do not stand in each other's way.
  virtual Task<Result<void>> write_sets(Loop& loop,
                                        Zone zone,
                                        std::vector<dns::RecordSet> sets) = 0;

  ApiClient api_;

 private:
  Task<Result<Zone>> zone_of(Loop& loop, std::string name);

  DnsAccountLimits limits_;
  std::map<std::string, Zone> zones_;  // found once
};

class SetAccount : public WebAccount {
 public:
  using WebAccount::WebAccount;

 protected:
  // All of them, at once where the provider can. None of `sets` is there already; an empty one is
  // to be removed.
  virtual Task<Result<void>> put_sets(Loop& loop, Zone zone, std::vector<dns::RecordSet> sets) = 0;

 private:
  Task<Result<void>> write_sets(Loop& loop, Zone zone, std::vector<dns::RecordSet> sets) final;
};

// A record where each has an id.
struct KeptRecord {
  std::string id;
  std::chrono::seconds ttl{0};
  dns::Data data;
  bool operator==(const KeptRecord&) const = default;
};

class RecordAccount : public WebAccount {
 public:
  using WebAccount::WebAccount;

 protected:
  virtual Task<Result<std::vector<KeptRecord>>> list(Loop& loop, Place place) = 0;
  virtual Task<Result<void>> add(Loop& loop, Place place, KeptRecord record) = 0;  // has no id
  // The record of that id becomes this one, in one step.
  virtual Task<Result<void>> change(Loop& loop, Place place, KeptRecord record) = 0;
  virtual Task<Result<void>> remove(Loop& loop, Place place, KeptRecord record) = 0;
  // After all records of a write, also when none had to change or one could not be: what is
  // written but not yet in force comes into force.
  virtual Task<Result<void>> put_in_force(Loop& loop, Zone zone);

 private:
  Task<Result<dns::RecordSet>> read_set(Loop& loop, Place place) final;
  Task<Result<void>> write_sets(Loop& loop, Zone zone, std::vector<dns::RecordSet> sets) final;
  Task<Result<void>> write_set(Loop& loop, Place place, dns::RecordSet wanted);
};

// The decisions of the above, for themselves.

// Error invalid or not_found (a name outside the zone) for the first set that cannot be kept.
Result<void> check_sets(const DnsAccountLimits& limits,
                        std::string_view zone,
                        const std::vector<dns::RecordSet>& sets);
// Each value once; new sets before removed ones, but what a CNAME would stand beside (RFC 1034
// section 3.6.2) goes first.
std::vector<dns::RecordSet> in_order(std::vector<dns::RecordSet> sets);
// Which set it was, and how many were written before it, in front of what went wrong there.
std::unexpected<Error> stopped(Error error, const dns::RecordSet& set, std::size_t written);
// The same records with the same TTL; for empty sets the TTL means nothing.
bool same_set(const dns::RecordSet& a, const dns::RecordSet& b);

struct RecordEdit {
  enum class Kind : std::uint8_t { add, change, remove };
  Kind kind = Kind::add;
  KeptRecord record;  // for change: the id there, TTL and data wanted
  bool operator==(const RecordEdit&) const = default;
};
// Additions first, removals last. One record in the place of another is a change, so that there is
// no moment with both (two SPF records are an error) or neither.
std::vector<RecordEdit> record_edits(std::vector<KeptRecord> kept, const dns::RecordSet& wanted);

}  // namespace tapal::dnsapi

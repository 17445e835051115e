// Keeps to what each receiver bears: the limits of sites by the provider table and by what their
// replies teach, our own limits by sender domain and user, and the egress sources. Sites that are
// down are left alone and asked with one message; none of it holds up another site. What is under
// way counts until a whole window after its end, since nobody knows when the other side counted it.
// Belongs to one thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/queue/gate.h"
#include "rules/shaping/concurrency.h"
#include "rules/shaping/pauses.h"
#include "rules/shaping/providers.h"
#include "rules/shaping/shaper_options.h"
#include "rules/shaping/sources.h"
#include "rules/shaping/window.h"

namespace tapal::shaping {

// What an attempt taught about its site.
struct Lesson {
  enum class Kind : std::uint8_t {
    went_well,  // it took what it was given, or refused a recipient or a message for good
    put_off,    // it answered, and wants no more for now: 4xx to the session or the sender
    no_answer,  // it could not be reached, hung, or spoke no SMTP
    nothing,    // only about a recipient, or about ourselves
  };
  Kind kind = Kind::nothing;
  bool accepted = false;            // it took the message for a recipient
  bool connected_anew = true;       // false: an open connection was used
  const ReplyRule* rule = nullptr;  // what its reply calls for beside that; or null
  std::string said;                 // the reply or the trouble, for people
};

class Shaper final : public queue::Gate {
 public:
  // What they refer to must outlive this. Without sources permits name none.
  Shaper(ShaperOptions options, const ProviderTable& providers, Sources* sources = nullptr);
  ~Shaper() override;

  std::expected<queue::Permit, queue::Obstacle> enter(const queue::Crossing& crossing) override;
  void leave(std::string_view site,
             const queue::Sender& sender,
             const queue::Permit& permit) override;
  std::optional<queue::Obstacle> look(const queue::Crossing& crossing) const override;

  // To be told of each attempt that was made, before leave(); settles its permit. A pause is
  // returned by the attempt that began it.
  std::optional<Pause> learn(std::string_view site,
                             const queue::Sender& sender,
                             queue::Permit& permit,
                             const Lesson& lesson,
                             WallTime now);
  const ProviderTable& providers() const { return providers_; }

  // A pause of an earlier run goes on.
  void resume(const Pause& pause, WallTime now);
  // Ends what was learned against a site, for a person who knows better.
  void forgive(std::string_view site);

 private:
  struct Site;     // as one egress source sees it
  struct Load;     // of a site
  struct Account;  // of a sender domain or a user
  using Accounts = std::map<std::string, Account, std::less<>>;
  struct Ended;  // an attempt

  Sources* sources_for(std::string_view site) const;  // null: no source is chosen there
  // As it is to one source.
  Site& site(std::string_view name, std::string_view source, WallTime now);
  const Site* known_site(std::string_view name, std::string_view source) const;
  // From all sources together, where the table limits that; else null.
  Load* whole(std::string_view name, const Site& site);
  static std::optional<queue::Obstacle> obstacle_of_whole(const Load& all,
                                                          const queue::Crossing& crossing);
  std::string_view provider_name(std::string_view site) const;
  std::vector<Account*> accounts_of(const queue::Sender& sender);
  std::optional<queue::Obstacle> pause_of(const queue::Crossing& crossing) const;
  std::optional<queue::Obstacle> obstacle_at(const Site& site,
                                             const queue::Crossing& crossing) const;
  std::optional<queue::Obstacle> obstacle_of(const queue::Crossing& crossing) const;
  struct Way;  // what an attempt may leave from, or why it may not
  Way way_of(const queue::Crossing& crossing) const;
  std::string text_of(queue::Obstacle::Reason reason,
                      const Way& way,
                      const queue::Crossing& crossing) const;
  void count(const Ended& ended);
  bool went_wrong(const Ended& ended);
  std::optional<Pause> follow(const Ended& ended);
  std::optional<Pause> begin(Pause pause, WallTime now);
  void forget_idle(WallTime now);

  ShaperOptions options_;
  const ProviderTable& providers_;
  Sources* sources_;  // null: one source without limits
  std::map<std::string, Site, std::less<>> sites_;
  std::map<std::string, Load, std::less<>> wholes_;
  Accounts sender_domains_;
  Accounts users_;
  WallTime latest_{};
  std::size_t forget_at_;  // when there are as many sites as this, idle ones are forgotten
};

}  // namespace tapal::shaping

// What hosters.h tells of each of them.
#include "rules/provision/hosters.h"

namespace tapal::provision {
namespace {

constexpr Hoster known_hosters[] = {
    {.name = "alibaba",
     .title = "Alibaba Cloud",
     .reverse_steps = "Alibaba Cloud sets names of addresses by ticket: console, Support > Submit "
                      "Ticket > ECS, ask for the PTR record of {address} to be {host}.",
     .port_25_steps =
         "Closed on every ECS machine. Console > Security Management > Port 25 Unblocking, name "
         "{address} and the purpose; it is often refused. Otherwise send through a relay: ports "
         "465 and 587 are open.",
     .machine_vendors = {{"alibaba cloud"}},
     .organisations = {{"alibaba", "aliyun"}},
     .host_suffixes = {},
     .metadata_url = "http://100.100.100.200/latest/meta-data/instance-id",
     .metadata_header = ""},
    {.name = "aws",
     .title = "Amazon EC2",
     .reverse_steps =
         "Only an Elastic IP can have a name. After {host} points to {address}: EC2 console > "
         "Elastic IPs > {address} > Actions > Update reverse DNS, enter {host}. "
         "(aws ec2 modify-address-attribute --allocation-id ID --domain-name {host})",
     .port_25_steps =
         "Closed until you ask: the form \"Request to remove email sending limitations\" "
         "(https://aws.amazon.com/forms/ec2-email-limit-rdns-request), signed in as the root "
         "user, with {address}, {host} and the purpose; one or two days. Also allow TCP 25 in "
         "the security group.",
     .machine_vendors = {{"amazon ec2"}},
     .organisations = {{"amazon"}},
     .host_suffixes = {{".amazonaws.com"}},
     .metadata_url = "",
     .metadata_header = ""},
    {.name = "azure",
     .title = "Microsoft Azure",
     .reverse_steps =
         "The address needs to be a static public IP: az network public-ip update -g GROUP -n "
         "NAME --reverse-fqdn {host}. (after {host} points to {address}, or to the name under "
         "cloudapp.azure.com)",
     .port_25_steps =
         "Closed, and opened for Enterprise Agreement subscriptions only. With any other send "
         "through a relay on port 587.",
     .machine_vendors = {},  // Hyper-V elsewhere is "Microsoft Corporation", too
     .organisations = {{"microsoft"}},
     .host_suffixes = {{".cloudapp.azure.com", ".cloudapp.net"}},
     .metadata_url = "http://169.254.169.254/metadata/instance?api-version=2021-02-01",
     .metadata_header = "Metadata: true"},
    {.name = "contabo",
     .title = "Contabo",
     .reverse_steps = "Customer panel (https://my.contabo.com/rdns) > Reverse DNS Management > "
                      "{address} > Edit, enter {host}.",
     .port_25_steps = "Open. If it is not, write to support@contabo.com: {ticket}",
     .machine_vendors = {},
     .organisations = {{"contabo"}},
     .host_suffixes = {{".contaboserver.net", ".contabo.host", ".your-server.contabo.net"}},
     .metadata_url = "",
     .metadata_header = ""},
    {.name = "digitalocean",
     .title = "DigitalOcean",
     .reverse_steps =
         "The name of an address is the name of its droplet: control panel > Droplets > the "
         "droplet > its name > rename it to {host}. IPv6: only the address that the droplet got "
         "at first; a reserved IP has no name of its own.",
     .port_25_steps = "Closed for nearly every account. Ask by ticket "
                      "(https://cloudsupport.digitalocean.com):  {ticket} It is rarely opened: "
                      "otherwise send through a relay on port 587 or 2525.",
     .machine_vendors = {{"digitalocean"}},
     .organisations = {{"digitalocean"}},
     .host_suffixes = {},
     .metadata_url = "http://169.254.169.254/metadata/v1/id",
     .metadata_header = ""},
    {.name = "gcp",
     .title = "Google Cloud",
     .reverse_steps =
         "After {host} points to {address} and the domain is verified in Search Console: "
         "Compute Engine > VM instances > the machine > Edit > network interface > Public DNS "
         "PTR Record > Enable, enter {host}. (gcloud compute instances update-access-config "
         "MACHINE --public-ptr --public-ptr-domain={host}.)",
     .port_25_steps =
         "Closed for all projects, and not opened on request. Send through a relay on port 587 "
         "or 465, or move the machine to another hoster.",
     .machine_vendors = {{"google"}},
     .organisations = {{"google"}},
     .host_suffixes = {{".googleusercontent.com"}},
     .metadata_url = "http://169.254.169.254/computeMetadata/v1/instance/id",
     .metadata_header = "Metadata-Flavor: Google"},
    {.name = "hetzner",
     .title = "Hetzner",
     .reverse_steps =
         "Cloud: https://console.hetzner.com > project > Servers > the server > Networking > "
         "{address} > ... > Edit Reverse DNS, enter {host}. Dedicated: "
         "https://robot.hetzner.com > Servers > IPs > the field beside {address}.",
     .port_25_steps =
         "Cloud: ports 25 and 465 outwards are closed for new accounts. After the first paid "
         "invoice: console > Limits > Request change > Unblock outgoing mail ports:  {ticket} "
         "Dedicated servers: open.",
     .machine_vendors = {{"hetzner"}},
     .organisations = {{"hetzner"}},
     .host_suffixes = {{".your-server.de", ".your-cloud.host"}},
     .metadata_url = "http://169.254.169.254/hetzner/v1/metadata/instance-id",
     .metadata_header = ""},
    {.name = "ionos",
     .title = "IONOS",
     .reverse_steps = "Cloud Panel (https://cloudpanel-cloud.ionos.com) > Network > Public IP > "
                      "{address} > Reverse DNS, enter {host}.",
     .port_25_steps = "Closed for new machines; opened by support (telephone or chat): {ticket}",
     .machine_vendors = {},
     .organisations = {{"ionos", "1&1", "strato"}},
     .host_suffixes =
         {".onlinehome-server.info", ".online.de", ".stratoserver.net", ".kundenserver.de"},
     .metadata_url = "",
     .metadata_header = ""},
    {.name = "linode",
     .title = "Linode (Akamai)",
     .reverse_steps =
         "After {host} points to {address}: https://cloud.linode.com > Linodes > the machine > "
         "Network > {address} > Edit RDNS, enter {host}.",
     .port_25_steps =
         "Ports 25, 465 and 587 are closed for new accounts. Ask by ticket once PTR and A "
         "records match: https://cloud.linode.com/support/tickets: {ticket}",
     .machine_vendors = {{"linode", "akamai"}},
     .organisations = {{"linode", "akamai"}},
     .host_suffixes = {{".ip.linodeusercontent.com", ".members.linode.com"}},
     .metadata_url = "",
     .metadata_header = ""},
    {.name = "netcup",
     .title = "netcup",
     .reverse_steps = "Server Control Panel (https://www.servercontrolpanel.de) > the server > "
                      "Network > {address} > rDNS, enter {host}.",
     .port_25_steps =
         "Open outwards; for new contracts the SCP's firewall has a policy \"netcup Mail "
         "block\": Server > Network > Firewall > remove it.",
     .machine_vendors = {{"netcup"}},
     .organisations = {{"netcup"}},
     .host_suffixes = {{".nip.netcup.net", ".yourvserver.net", ".bestsrv.de"}},
     .metadata_url = "",
     .metadata_header = ""},
    {.name = "oracle",
     .title = "Oracle Cloud",
     .reverse_steps =
         "By service request only: console > Help > Support > create a request, ask for "
         "the PTR record of the reserved public IP {address} to be {host}.",
     .port_25_steps =
         "Closed for accounts made since June 2021. A paid account asks by service request "
         "\"email "
         "exemption\"; Always Free ones are refused. Otherwise send through a relay on port 587.",
     .machine_vendors = {},
     .organisations = {{"oracle"}},
     .host_suffixes = {{".oraclecloud.com", ".oraclevcn.com"}},
     .metadata_url = "http://169.254.169.254/opc/v2/instance/id",
     .metadata_header = "Authorization: Bearer Oracle"},
    {.name = "ovh",
     .title = "OVHcloud",
     .reverse_steps =
         "After {host} points to {address}: https://www.ovh.com/manager/ > Bare Metal Cloud > "
         "Network > Public IP Addresses > {address} > ... > Configure reverse DNS, enter {host}.",
     .port_25_steps =
         "Open; what looks like spam closes it (manager > Network > IP > Anti-Spam). US and some "
         "Public Cloud projects have it closed: ask by ticket: {ticket}",
     .machine_vendors = {},  // "OpenStack Foundation", as many others
     .organisations = {{"ovh", "soyoustart", "kimsufi"}},
     .host_suffixes = {{".ovh.net", ".ovh.ca", ".ovh.us", ".kimsufi.com"}},
     .metadata_url = "",
     .metadata_header = ""},
    {.name = "scaleway",
     .title = "Scaleway",
     .reverse_steps =
         "After {host} points to {address}: https://console.scaleway.com > Instances > "
         "Flexible IPs > {address} > Edit reverse DNS, enter {host}.",
     .port_25_steps =
         "Closed: console > the instance's security group > Enable SMTP (needs a verified "
         "identity), then restart the machine.",
     .machine_vendors = {{"scaleway"}},
     .organisations = {{"scaleway", "online sas", "iliad"}},
     .host_suffixes = {{".instances.scw.cloud", ".poneytelecom.eu"}},
     .metadata_url = "http://169.254.42.42/conf",
     .metadata_header = ""},
    {.name = "tencent",
     .title = "Tencent Cloud",
     .reverse_steps = "By ticket only: console > Tickets > Cloud Virtual Machine, ask for the PTR "
                      "record of {address} to be {host}. Mainland regions refuse it.",
     .port_25_steps =
         "Closed on every CVM. Console > account menu > Security Control > Unblock port "
         "25, up to five times for an account; otherwise send through a relay on port 465.",
     .machine_vendors = {{"tencent cloud"}},
     .organisations = {{"tencent"}},
     .host_suffixes = {},
     .metadata_url = "http://metadata.tencentyun.com/latest/meta-data/instance-id",
     .metadata_header = ""},
    {.name = "upcloud",
     .title = "UpCloud",
     .reverse_steps =
         "https://hub.upcloud.com > Servers > the server > Network > {address} > Reverse "
         "DNS, enter {host}.",
     .port_25_steps = "Closed for trial accounts, and opened by ticket afterwards: {ticket}",
     .machine_vendors = {{"upcloud"}},
     .organisations = {{"upcloud"}},
     .host_suffixes = {{".upcloud.host"}},
     .metadata_url = "",
     .metadata_header = ""},
    {.name = "vultr",
     .title = "Vultr",
     .reverse_steps =
         "https://my.vultr.com > the server > Settings > IPv4 (or IPv6) > Reverse DNS beside "
         "{address}, enter {host}. It takes 6 to 12 hours to show.",
     .port_25_steps = "Closed for new accounts. Ask by ticket, as \"SMTP unblock\":  {ticket} "
                      "Restart the machine in the panel afterwards.",
     .machine_vendors = {{"vultr"}},
     .organisations = {{"vultr", "choopa", "constant company"}},
     .host_suffixes = {{".vultrusercontent.com", ".vultr.com"}},
     .metadata_url = "http://169.254.169.254/v1/instanceid",
     .metadata_header = ""},
    {.name = "other",
     .title = "another hoster",
     .reverse_steps = "Look for \"reverse DNS\", \"rDNS\" or \"PTR\" beside {address} in your "
                      "hoster's panel and "
                      "enter {host}; where there is none, ask by ticket: \"Please set the PTR "
                      "record of {address} "
                      "to {host}.\"",
     .port_25_steps =
         "Look for \"SMTP\" or \"port 25\" in your hoster's documents; where they say "
         "nothing, ask by ticket:  {ticket} Where it stays closed, send through a relay.",
     .machine_vendors = {},
     .organisations = {},
     .host_suffixes = {},
     .metadata_url = "",
     .metadata_header = ""}};

}  // namespace

std::span<const Hoster> hosters() {
  return std::span(known_hosters).first(std::size(known_hosters) - 1);
}

const Hoster& other_hoster() { return known_hosters[std::size(known_hosters) - 1]; }

}  // namespace tapal::provision

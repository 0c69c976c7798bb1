#define _GNU_SOURCE
#include "clinux_collect.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

// One request, one dump: a netlink socket answers in datagrams of several messages, the last of which
// is NLMSG_DONE. Every message carries the sequence number of its request, so that the rest of a dump
// which was given up is skipped.

static int open_netlink(int protocol) {
  int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  if (descriptor < 0) return -errno;
  struct timeval patience = {.tv_sec = 1};
  setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return descriptor;
}

int clinux_route_open(void) { return open_netlink(NETLINK_ROUTE); }
int clinux_diagnosis_open(void) { return open_netlink(NETLINK_SOCK_DIAG); }

typedef int (*visitor)(const struct nlmsghdr *, void *);

static int dump(int descriptor, void *request, void *buffer, size_t size, visitor visit, void *to) {
  struct nlmsghdr *head = request;
  static _Thread_local uint32_t sequence;
  head->nlmsg_seq = ++sequence;
  head->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  if (sendto(descriptor, request, head->nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof kernel) < 0)
    return -errno;
  for (;;) {
    ssize_t received = recv(descriptor, buffer, size, MSG_TRUNC);
    if (received < 0) {
      if (errno == EINTR) continue;
      return -errno;
    }
    if (received == 0) return -EPIPE;
    if ((size_t)received > size) return -EMSGSIZE;
    int left = (int)received;
    for (struct nlmsghdr *message = buffer; NLMSG_OK(message, left);
         message = NLMSG_NEXT(message, left)) {
      if (message->nlmsg_seq != head->nlmsg_seq) continue;
      if (message->nlmsg_type == NLMSG_DONE) return 0;
      if (message->nlmsg_type == NLMSG_ERROR) {
        if (message->nlmsg_len < NLMSG_LENGTH(sizeof(struct nlmsgerr))) return -EBADMSG;
        return ((struct nlmsgerr *)NLMSG_DATA(message))->error;
      }
      int error = visit(message, to);
      if (error != 0) return error;
    }
  }
}

static void take_counters(struct clinux_link_counters *out, const void *payload, size_t size) {
  struct rtnl_link_stats64 in;
  memset(&in, 0, sizeof in);
  memcpy(&in, payload, size < sizeof in ? size : sizeof in);
  *out = (struct clinux_link_counters){
      .rx_packets = in.rx_packets, .tx_packets = in.tx_packets,
      .rx_bytes = in.rx_bytes, .tx_bytes = in.tx_bytes,
      .rx_errors = in.rx_errors, .tx_errors = in.tx_errors,
      .rx_dropped = in.rx_dropped, .tx_dropped = in.tx_dropped,
      .multicast = in.multicast, .collisions = in.collisions,
      .rx_length_errors = in.rx_length_errors, .rx_over_errors = in.rx_over_errors,
      .rx_crc_errors = in.rx_crc_errors, .rx_frame_errors = in.rx_frame_errors,
      .rx_fifo_errors = in.rx_fifo_errors, .rx_missed_errors = in.rx_missed_errors,
      .tx_aborted_errors = in.tx_aborted_errors, .tx_carrier_errors = in.tx_carrier_errors,
      .tx_fifo_errors = in.tx_fifo_errors, .tx_heartbeat_errors = in.tx_heartbeat_errors,
      .tx_window_errors = in.tx_window_errors, .rx_compressed = in.rx_compressed,
      .tx_compressed = in.tx_compressed, .rx_nohandler = in.rx_nohandler,
  };
}

struct links {
  struct clinux_link *out;
  size_t capacity, count;
};

static uint32_t number(const struct rtattr *attribute) {
  uint32_t value = 0;
  if (RTA_PAYLOAD(attribute) >= sizeof value) memcpy(&value, RTA_DATA(attribute), sizeof value);
  return value;
}

static uint8_t byte(const struct rtattr *attribute) {
  return RTA_PAYLOAD(attribute) >= 1 ? *(const uint8_t *)RTA_DATA(attribute) : 0;
}

static size_t bytes(void *out, size_t capacity, const struct rtattr *attribute) {
  size_t size = RTA_PAYLOAD(attribute);
  if (size > capacity) size = capacity;
  memcpy(out, RTA_DATA(attribute), size);
  return size;
}

static void take_attribute(struct clinux_link *link, const struct rtattr *attribute) {
  switch (attribute->rta_type & NLA_TYPE_MASK) {
    case IFLA_IFNAME: bytes(link->name, sizeof link->name - 1, attribute); break;
    case IFLA_IFALIAS: bytes(link->alias, sizeof link->alias - 1, attribute); break;
    case IFLA_ADDRESS:
      link->address_length = (uint8_t)bytes(link->address, sizeof link->address, attribute);
      break;
    case IFLA_BROADCAST:
      link->broadcast_length = (uint8_t)bytes(link->broadcast, sizeof link->broadcast, attribute);
      break;
    case IFLA_MTU: link->mtu = number(attribute); break;
    case IFLA_LINK: link->link = number(attribute); break;
    case IFLA_TXQLEN: link->queue_length = number(attribute); break;
    case IFLA_GROUP: link->group = number(attribute); break;
    case IFLA_PROMISCUITY: link->promiscuity = number(attribute); break;
    case IFLA_OPERSTATE: link->operational_state = byte(attribute); break;
    case IFLA_LINKMODE: link->link_mode = byte(attribute); break;
    case IFLA_CARRIER: link->carrier = byte(attribute); break;
    case IFLA_CARRIER_CHANGES: link->carrier_changes = number(attribute); break;
    case IFLA_CARRIER_UP_COUNT: link->carrier_up = number(attribute); break;
    case IFLA_CARRIER_DOWN_COUNT: link->carrier_down = number(attribute); break;
    case IFLA_STATS64:
      take_counters(&link->counters, RTA_DATA(attribute), RTA_PAYLOAD(attribute));
      break;
    default: break;
  }
}

static int take_link(const struct nlmsghdr *message, void *to) {
  struct links *links = to;
  if (message->nlmsg_type != RTM_NEWLINK) return 0;
  if (message->nlmsg_len < NLMSG_LENGTH(sizeof(struct ifinfomsg))) return -EBADMSG;
  if (links->count == links->capacity) return 0;
  struct ifinfomsg *head = NLMSG_DATA(message);
  struct clinux_link *link = &links->out[links->count++];
  memset(link, 0, sizeof *link);
  link->index = head->ifi_index;
  link->link = (uint32_t)head->ifi_index;
  link->flags = head->ifi_flags;
  link->type = head->ifi_type;
  int left = (int)(message->nlmsg_len - NLMSG_LENGTH(sizeof *head));
  for (struct rtattr *at = IFLA_RTA(head); RTA_OK(at, left); at = RTA_NEXT(at, left))
    take_attribute(link, at);
  return 0;
}

int clinux_links_read(int socket, void *buffer, size_t size, struct clinux_link *out,
                      size_t capacity) {
  struct {
    struct nlmsghdr head;
    struct ifinfomsg body;
    struct rtattr attribute;
    uint32_t mask;
  } request = {
      .head = {.nlmsg_len = sizeof request, .nlmsg_type = RTM_GETLINK},
      .attribute = {.rta_len = RTA_LENGTH(sizeof(uint32_t)), .rta_type = IFLA_EXT_MASK},
      // The per-address-family statistics are the expensive part of an answer and not needed.
      .mask = RTEXT_FILTER_SKIP_STATS,
  };
  struct links links = {out, capacity, 0};
  int error = dump(socket, &request, buffer, size, take_link, &links);
  return error < 0 ? error : (int)links.count;
}

struct statistics {
  struct clinux_link_statistics *out;
  size_t capacity, count;
};

static int take_statistics(const struct nlmsghdr *message, void *to) {
  struct statistics *all = to;
  if (message->nlmsg_type != RTM_NEWSTATS) return 0;
  if (message->nlmsg_len < NLMSG_LENGTH(sizeof(struct if_stats_msg))) return -EBADMSG;
  if (all->count == all->capacity) return 0;
  struct if_stats_msg *head = NLMSG_DATA(message);
  int left = (int)(message->nlmsg_len - NLMSG_LENGTH(sizeof *head));
  struct rtattr *at = (struct rtattr *)((char *)head + NLMSG_ALIGN(sizeof *head));
  for (; RTA_OK(at, left); at = RTA_NEXT(at, left)) {
    if ((at->rta_type & NLA_TYPE_MASK) != IFLA_STATS_LINK_64) continue;
    struct clinux_link_statistics *one = &all->out[all->count++];
    one->index = (int32_t)head->ifindex;
    one->reserved = 0;
    take_counters(&one->counters, RTA_DATA(at), RTA_PAYLOAD(at));
    return 0;
  }
  return 0;
}

int clinux_link_statistics_read(int socket, void *buffer, size_t size,
                                struct clinux_link_statistics *out, size_t capacity) {
  struct {
    struct nlmsghdr head;
    struct if_stats_msg body;
  } request = {
      .head = {.nlmsg_len = sizeof request, .nlmsg_type = RTM_GETSTATS},
      .body = {.filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64)},
  };
  struct statistics all = {out, capacity, 0};
  int error = dump(socket, &request, buffer, size, take_statistics, &all);
  return error < 0 ? error : (int)all.count;
}

static int take_socket(const struct nlmsghdr *message, void *to) {
  struct clinux_tcp_states *states = to;
  if (message->nlmsg_len < NLMSG_LENGTH(sizeof(struct inet_diag_msg))) return -EBADMSG;
  struct inet_diag_msg *socket = NLMSG_DATA(message);
  if (socket->idiag_state < 16) states->count[socket->idiag_state]++;
  states->receive_queued_bytes += socket->idiag_rqueue;
  states->transmit_queued_bytes += socket->idiag_wqueue;
  return 0;
}

int clinux_tcp_states_read(int socket, int family, void *buffer, size_t size,
                           struct clinux_tcp_states *out) {
  struct {
    struct nlmsghdr head;
    struct inet_diag_req_v2 body;
  } request = {
      .head = {.nlmsg_len = sizeof request, .nlmsg_type = SOCK_DIAG_BY_FAMILY},
      .body = {.sdiag_family = (uint8_t)family, .sdiag_protocol = IPPROTO_TCP,
               .idiag_states = ~0u},
  };
  int error = dump(socket, &request, buffer, size, take_socket, out);
  return error < 0 ? error : 0;
}

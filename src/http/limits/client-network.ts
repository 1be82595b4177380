import ipaddr from 'ipaddr.js';

/** What counts as one client: an IPv4 address, or the IPv6 network that a household or a machine is given. */
export function networkOf(address = ''): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  return parsed.kind() === 'ipv6' ? (parsed as ipaddr.IPv6).parts.slice(0, 4).join(':') : parsed.toString();
}

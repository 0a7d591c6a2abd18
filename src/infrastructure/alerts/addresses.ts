import { type LookupAddress, lookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

const own = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  own.addSubnet(network, prefix, 'ipv4')
// ::/96, 64:ff9b::/96, 64:ff9b:1::/48, 2001::/32 and 2002::/16 hold addresses of IPv4
for (const [network, prefix] of [
  ['::', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2001::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const)
  own.addSubnet(network, prefix, 'ipv6')

/** Raised for an address of this machine, of its network or of a cloud's metadata service. */
export class LocalAddressError extends Error {}

/** Raised for an address without encryption. */
export class InsecureAddressError extends Error {}

/** Whether an address of IP is not one of the public internet. */
export const isLocalAddress = (address: string): boolean => own.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')

/** Whether the host of a URL is such an address, for which no name is looked up, or this machine. */
export const isLocalHost = ({ hostname }: URL): boolean => {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase()
  return isIP(host) === 0 ? /(^|\.)localhost\.?$/.test(host) : isLocalAddress(host)
}

/** Looks a name up for the connection that uses the answer, so that no second answer can differ from the checked one. */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
    if (error !== null) return callback(error, '', 0)
    const [first] = found
    if (first === undefined || found.some(({ address }) => isLocalAddress(address)))
      return callback(new LocalAddressError(), '', 0)
    if (options.all === true) callback(null, found as never)
    else callback(null, first.address, first.family)
  })
}

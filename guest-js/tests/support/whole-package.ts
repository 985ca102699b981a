// What realm.ts bundles: the entries of the package that the random orders and the simulation use.

export * from '../../index.js';
export { keepFresh } from '../../session/keep-fresh.js';
export { MemoryOwner } from '../../session/memory-owner.js';

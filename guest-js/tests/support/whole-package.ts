// What realm.ts bundles: the entries of the package that the random orders use.

export * from '../../index.js';
export { MemoryOwner } from '../../session/memory-owner.js';

// A stand-in for Apple's Security framework: its names. The numbers of the statuses are Apple's (`SecBase.h`), the texts of the keys are invented.
// Apple imports these constants as safe to share; immutable texts are.
@_exported import Foundation

public typealias OSStatus = Int32
public typealias CFTypeRef = AnyObject
public typealias CFString = NSString
public typealias CFDictionary = NSDictionary

public let errSecSuccess: OSStatus = 0
public let errSecParam: OSStatus = -50
public let errSecUserCanceled: OSStatus = -128
public let errSecNotAvailable: OSStatus = -25291
public let errSecAuthFailed: OSStatus = -25293
public let errSecDuplicateItem: OSStatus = -25299
public let errSecItemNotFound: OSStatus = -25300
public let errSecInteractionNotAllowed: OSStatus = -25308
public let errSecInteractionRequired: OSStatus = -25315
public let errSecDecode: OSStatus = -26275
public let errSecMissingEntitlement: OSStatus = -34018

nonisolated(unsafe) public let kSecClass: CFString = "stand-in.class"
nonisolated(unsafe) public let kSecClassGenericPassword: CFString = "stand-in.generic-password"
nonisolated(unsafe) public let kSecAttrService: CFString = "stand-in.service"
nonisolated(unsafe) public let kSecAttrAccount: CFString = "stand-in.account"
nonisolated(unsafe) public let kSecAttrAccessGroup: CFString = "stand-in.access-group"
nonisolated(unsafe) public let kSecAttrSynchronizable: CFString = "stand-in.synchronizable"
nonisolated(unsafe) public let kSecAttrAccessible: CFString = "stand-in.accessible"
nonisolated(unsafe) public let kSecAttrAccessibleWhenUnlocked: CFString = "stand-in.when-unlocked"
nonisolated(unsafe) public let kSecAttrAccessibleWhenUnlockedThisDeviceOnly: CFString = "stand-in.when-unlocked-this-device"
nonisolated(unsafe) public let kSecAttrAccessibleAfterFirstUnlock: CFString = "stand-in.after-first-unlock"
nonisolated(unsafe) public let kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly: CFString = "stand-in.after-first-unlock-this-device"
nonisolated(unsafe) public let kSecValueData: CFString = "stand-in.value"
nonisolated(unsafe) public let kSecReturnData: CFString = "stand-in.return-data"
nonisolated(unsafe) public let kSecReturnAttributes: CFString = "stand-in.return-attributes"
nonisolated(unsafe) public let kSecMatchLimit: CFString = "stand-in.limit"
nonisolated(unsafe) public let kSecMatchLimitOne: CFString = "stand-in.one"
nonisolated(unsafe) public let kSecMatchLimitAll: CFString = "stand-in.all"

public func SecItemAdd(_ attributes: CFDictionary, _ result: UnsafeMutablePointer<CFTypeRef?>?) -> OSStatus {
  StandInKeychain.shared.add(texts(attributes))
}

public func SecItemUpdate(_ query: CFDictionary, _ attributesToUpdate: CFDictionary) -> OSStatus {
  StandInKeychain.shared.update(texts(query), with: texts(attributesToUpdate))
}

public func SecItemCopyMatching(_ query: CFDictionary, _ result: UnsafeMutablePointer<CFTypeRef?>?) -> OSStatus {
  let (status, found) = StandInKeychain.shared.copyMatching(texts(query))
  result?.pointee = found
  return status
}

public func SecItemDelete(_ query: CFDictionary) -> OSStatus {
  StandInKeychain.shared.delete(texts(query))
}

private func texts(_ dictionary: CFDictionary) -> [String: Any] {
  dictionary as? [String: Any] ?? [:]
}

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Tells a recursion whether the thread it runs on has stack left. Threads differ (8 MB for the main
/// one, 512 kB or 2 MB elsewhere) and so do the frames of debug and optimized builds, so that a
/// count of levels alone is either unsafe or too small.
package struct StackGuard: Sendable {
  /// What must be left: several of the largest frames between two checks.
  package static let reserve = 128 * 1024

  /// The lowest address that may be used.
  private let floor: UInt

  /// A guard for the calling thread; use it on that thread only.
  package init() {
    let here = Self.address()
    var floor = here > 256 * 1024 ? here - 256 * 1024 : 0
    #if canImport(Darwin)
      let top = UInt(bitPattern: pthread_get_stackaddr_np(pthread_self()))
      floor = top - UInt(pthread_get_stacksize_np(pthread_self()))
    #else
      if let known = Self.knownFloor() { floor = known }
    #endif
    self.floor = floor &+ UInt(Self.reserve)
  }

  #if !canImport(Darwin)
    /// Where the calling thread's stack ends. A thread asks once: of the main one the system reads a
    /// list of all mappings to answer.
    private static func knownFloor() -> UInt? {
      if let known = pthread_getspecific(floorKey) { return UInt(bitPattern: known) }
      guard let floor = asked(pthread_self()) else { return nil }
      pthread_setspecific(floorKey, UnsafeRawPointer(bitPattern: floor))
      return floor
    }

    private static let floorKey: pthread_key_t = {
      var key = pthread_key_t()
      pthread_key_create(&key, nil)
      return key
    }()

    private static func asked(_ thread: pthread_t) -> UInt? {
      var attributes = pthread_attr_t()
      guard let getAttributes, getAttributes(thread, &attributes) == 0 else { return nil }
      defer { pthread_attr_destroy(&attributes) }
      var base: UnsafeMutableRawPointer?
      var size = 0
      guard pthread_attr_getstack(&attributes, &base, &size) == 0, let base else { return nil }
      return UInt(bitPattern: base)
    }

    private typealias GetAttributes =
      @convention(c) (pthread_t, UnsafeMutablePointer<pthread_attr_t>) -> Int32

    /// pthread_getattr_np, which glibc declares only to C code compiled with _GNU_SOURCE. Where it
    /// is missing, 256 kB below the first check count as the stack.
    private static let getAttributes: GetAttributes? = {
      guard let symbol = dlsym(nil, "pthread_getattr_np") else { return nil }
      // SAFETY: the type is the one that glibc and musl document for this symbol.
      return unsafeBitCast(symbol, to: GetAttributes.self)
    }()
  #endif

  /// Bytes of stack left above the reserve.
  package var room: Int {
    let here = Self.address()
    return here > floor ? Int(clamping: here - floor) : 0
  }

  /// Whether the stack has more than the reserve left.
  @inline(__always)
  package var hasRoom: Bool { Self.address() > floor }

  /// An address in the caller's frame.
  @inline(never)
  private static func address() -> UInt {
    var mark: UInt8 = 0
    // SAFETY: the pointer is only turned into a number, and not used after its scope.
    return withUnsafeMutablePointer(to: &mark) { UInt(bitPattern: $0) }
  }
}

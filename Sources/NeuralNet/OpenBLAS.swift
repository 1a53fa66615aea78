import Glibc

/// OpenBLAS, loaded when the first product wants it: linked to the program, it would start its
/// threads and take a third of the time in which the program starts. Where the system has none, own
/// kernels do its work.
enum OpenBLAS {
  /// `cblas_sgemm`: order, the two transpositions, m, n, k, alpha, a, its row, b, its row, beta, c,
  /// its row.
  typealias Product =
    @convention(c) (
      Int32, Int32, Int32, Int32, Int32, Int32, Float, UnsafePointer<Float>, Int32,
      UnsafePointer<Float>, Int32, Float, UnsafeMutablePointer<Float>, Int32
    ) -> Void

  // The values of the enumerations in cblas.h.
  static let rowMajor: Int32 = 101
  static let plain: Int32 = 111
  static let transposed: Int32 = 112

  /// nil where there is no library.
  static let product: Product? = {
    guard let library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL),
      let product = dlsym(library, "cblas_sgemm"),
      let setThreads = dlsym(library, "openblas_set_num_threads")
    else { return nil }
    typealias SetThreads = @convention(c) (Int32) -> Void
    // SAFETY: the library's functions of these names have these types.
    // Its own threads would fight with the engine's workers.
    unsafeBitCast(setThreads, to: SetThreads.self)(1)
    return unsafeBitCast(product, to: Product.self)
  }()
}

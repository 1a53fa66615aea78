import Diagnostics
import Testing

@testable import Syntax

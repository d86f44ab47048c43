// The target "air64" of clang. Contract: layout and address spaces are those of modules made by Apple's compiler (AIR 2.6 to 2.8), so that
// text and .metallib files need one executor only.
#include "softmetal/Compile/Target.h"

#include "clang/Basic/TargetOptions.h"

using namespace clang;

namespace softmetal {

const char AirTriple[] = "air64-unknown-unknown";
const char AirDataLayout[] =
    "e-p:64:64:64-i1:8:8-i8:8:8-i16:16:16-i32:32:32-i64:64:64-f32:32:32-f64:64:64-v16:16:16-v24:32:32-v32:32:32-v48:64:64-"
    "v64:64:64-v96:128:128-v128:128:128-v192:256:256-v256:256:256-v512:512:512-v1024:1024:1024-n8:16:32";

const char *addressSpaceName(LangAS space) {
  switch (space) {
  case LangAS::opencl_global:
    return "device";
  case LangAS::opencl_constant:
    return "constant";
  case LangAS::opencl_local:
    return "threadgroup";
  default:
    return "thread";
  }
}

// TargetInfo's options are private and set only by its own factory, which knows no triple "air64". An explicit instantiation may name a
// private member: the one way to set them without patching clang.
TargetOptions *&targetOptionsOf(TargetInfo &);
template <auto Member> struct PrivateMember {
  friend TargetOptions *&targetOptionsOf(TargetInfo &target) { return target.*Member; }
};
template struct PrivateMember<&TargetInfo::TargetOpts>;

namespace {

struct AddressSpaces {
  LangASMap map;
  constexpr AddressSpaces() : map() {
    map[unsigned(LangAS::opencl_global)] = space::Device;
    map[unsigned(LangAS::opencl_constant)] = space::Constant;
    map[unsigned(LangAS::opencl_local)] = space::Threadgroup;
  }
};
constexpr AddressSpaces airAddressSpaces;

class AirTarget : public TargetInfo {
public:
  AirTarget() : TargetInfo(llvm::Triple(AirTriple)) {
    options.Triple = AirTriple;
    targetOptionsOf(*this) = &options;
    PointerWidth = PointerAlign = 64;
    LongWidth = LongAlign = 64;
    LongLongWidth = LongLongAlign = 64;
    SizeType = UnsignedLong;
    PtrDiffType = IntPtrType = Int64Type = IntMaxType = SignedLong;
    // Native half and bfloat: every operation rounds, as on the GPU, instead of keeping excess precision in float.
    HasFastHalfType = HasFloat16 = true;
    HasBFloat16 = HasFullBFloat16 = true;
    BFloat16Width = BFloat16Align = 16;
    BFloat16Format = &llvm::APFloat::BFloat();
    AddrSpaceMap = &airAddressSpaces.map;
    UseAddrSpaceMapMangling = true;
    TLSSupported = false;
    resetDataLayout(AirDataLayout);
  }

  // Lets `this` of implicit members, and references to const, bind in any space. Rules.cpp takes back what Metal forbids.
  bool isAddressSpaceSupersetOf(LangAS outer, LangAS inner) const override { return outer == inner || outer == LangAS::Default; }

  void getTargetDefines(const LangOptions &, MacroBuilder &) const override {}
  llvm::SmallVector<Builtin::InfosShard> getTargetBuiltins() const override { return {}; }
  BuiltinVaListKind getBuiltinVaListKind() const override { return VoidPtrBuiltinVaList; }
  bool validateAsmConstraint(const char *&, ConstraintInfo &) const override { return false; }
  std::string_view getClobbers() const override { return ""; }
  ArrayRef<const char *> getGCCRegNames() const override { return {}; }
  ArrayRef<GCCRegAlias> getGCCRegAliases() const override { return {}; }

private:
  TargetOptions options;
};

} // namespace

TargetInfo *createAirTarget() { return new AirTarget; }

} // namespace softmetal

module storefront/toolchain

go 1.26

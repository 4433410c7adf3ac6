resource "azurerm_container_app" "shop" {
  ingress {
    target_port = 80
  }
}

package Sandbox::Registry;

# The people and organisations that the identity vendor knows about.

use v5.36;
use Mojo::Base 'Sandbox::Store';
use warnings FATAL => 'all';

use Sandbox::RegistryRules qw(LISTS);

has people        => sub { {} };
has organizations => sub { {} };

sub file_name ($self) {'registry.json'}

sub dump ($self) {
  return {map { my $of = $self->$_; ($_ => [map { $of->{$_} } sort keys %$of]) } keys LISTS->%*};
}

sub fill ($self, $lists) {
  for my $list (keys %$lists) {
    my $key = LISTS->{$list}{key};
    $self->$list->{$_->{$key}} = $_ for @{$lists->{$list}};
  }
  return $self;
}

# Takes what Sandbox::RegistryRules has passed.
sub add ($self, $lists) {
  $self->fill($lists)->changed;
  return;
}

sub find ($self, $list, $key) { return $self->$list->{uc $key} }

1;

package Sandbox::Controller::Registry;

use v5.36;
use Mojo::Base 'Sandbox::Controller';
use warnings FATAL => 'all';

use Sandbox::RegistryRules qw(check_lists);

sub show ($self) { return $self->render(json => $self->app->registry->dump) }

# All or nothing: with one bad item none is added.
sub add ($self) {
  my ($input) = $self->json_body or return $self->refuse(400, 'the body is not JSON');
  my ($lists, $wrong) = check_lists($input);
  return $self->refuse(422, 'nothing was added', errors => $wrong) if @$wrong;
  $self->app->registry->add($lists);
  return $self->rendered(204);
}

1;

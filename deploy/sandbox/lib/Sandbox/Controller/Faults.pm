package Sandbox::Controller::Faults;

use v5.36;
use Mojo::Base 'Sandbox::Controller';
use warnings FATAL => 'all';

sub show ($self) { return $self->render(json => $self->app->faults->plans) }

sub plan ($self) {
  my ($input) = $self->json_body or return $self->refuse(400, 'the body is not JSON');
  my $wrong = $self->app->faults->plan($input);
  return $self->refuse(422, 'nothing was changed', errors => $wrong) if @$wrong;
  return $self->rendered(204);
}

sub clear ($self) {
  $self->app->faults->clear;
  return $self->rendered(204);
}

1;
